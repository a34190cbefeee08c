package model

// Organization 党组织, spec/records.md 1. Its Base.OrgID is its own id and Base.Orgs
// its own path, so that a scope holds it like any other record.
type Organization struct {
	Base           `bson:",inline"`
	OrgName        string `bson:"orgName" json:"orgName" record:"label=组织名称,required,list,search,keyword,width=220"`
	OrgShortName   string `bson:"orgShortName" json:"orgShortName" record:"label=组织简称,max=30"`
	OrgCode        string `bson:"orgCode,omitempty" json:"orgCode" record:"label=组织编码,max=30"`
	OrgType        string `bson:"orgType" json:"orgType" record:"label=组织性质,required,list,search,options=committee:委员会|generalBranch:党总支|jointBranch:联合支部|branch:党支部|group:党小组|workCommittee:党工委"`
	ParentID       string `bson:"parentId" json:"parentId" record:"label=上级组织,required,list,ref=organization,width=180"`
	Secretary      string `bson:"secretary" json:"secretary" record:"label=负责人,required,max=30,list,keyword"`
	SecretaryPhone string `bson:"secretaryPhone" json:"secretaryPhone" record:"label=负责人电话,type=phone,public,list"`
	ContactName    string `bson:"contactName" json:"contactName" record:"label=联系人,required,max=30,list,keyword"`
	ContactPhone   string `bson:"contactPhone" json:"contactPhone" record:"label=联系电话,type=phone,public,required,list"`
	UnitID         string `bson:"unitId,omitempty" json:"unitId" record:"label=所在单位,ref=unit"`
	Address        string `bson:"address" json:"address" record:"label=地址,max=200,public"`
	Longitude      string `bson:"longitude" json:"longitude" record:"label=经度,type=decimal,max=11,help=组织地图中的位置，-180至180，最多6位小数；与纬度同时填写"`
	Latitude       string `bson:"latitude" json:"latitude" record:"label=纬度,type=decimal,max=10,help=-90至90，最多6位小数"`
	FoundedOn      string `bson:"foundedOn" json:"foundedOn" record:"label=成立日期,type=date,past"`
	Introduction   string `bson:"introduction" json:"introduction" record:"label=组织简介,type=text,max=2000"`
	SortNo         int    `bson:"sortNo" json:"sortNo" record:"label=排序,min=0,max=9999,help=在组织树中由小到大排列"`
}

// Unit 组织单位, spec/records.md 2: where members work.
type Unit struct {
	Base         `bson:",inline"`
	UnitName     string `bson:"unitName" json:"unitName" record:"label=单位名称,required,list,search,keyword,width=220"`
	UnitCode     string `bson:"unitCode" json:"unitCode" record:"label=统一社会信用代码,max=18"`
	UnitNature   string `bson:"unitNature" json:"unitNature" record:"label=单位性质,required,list,search,options=government:机关|institution:事业单位|stateOwned:国有企业|nonPublic:非公企业|socialOrg:社会组织|community:社区/村|school:学校|other:其他"`
	OrgForm      string `bson:"orgForm" json:"orgForm" record:"label=党组织形式,required,list,options=jointBranch:联合党支部|independentBranch:独立党支部|none:未建立"`
	ContactName  string `bson:"contactName" json:"contactName" record:"label=单位联系人,max=30"`
	ContactPhone string `bson:"contactPhone" json:"contactPhone" record:"label=单位联系电话,type=phone,public"`
	Address      string `bson:"address" json:"address" record:"label=地址,max=200,public"`
}
