package model

// Category 分类 is one name of a list that the top-level admin keeps for everybody: the
// categories and tags of records. Its id stays when it is renamed.
type Category struct {
	Base    `bson:",inline"`
	Name    string `bson:"name" json:"name" record:"label=名称,required,max=30,list,keyword,search"`
	SortNo  int    `bson:"sortNo" json:"sortNo" record:"label=排序,min=0,max=9999,list"`
	Default bool   `bson:"default" json:"default" record:"label=系统默认,readonly,list"`
	// HasColumn: readers are shown it as a column (栏目), where its type has such.
	HasColumn bool `bson:"hasColumn,omitempty" json:"hasColumn"`
	// SmallIcon is shown on the phone, LargeIcon on the portal, where its type has such.
	SmallIcon []File `bson:"smallIcon,omitempty" json:"smallIcon"`
	LargeIcon []File `bson:"largeIcon,omitempty" json:"largeIcon"`
}
