package model

// AbroadRecord 党员出国出境, spec/records.md 32.
type AbroadRecord struct {
	Base             `bson:",inline"`
	OfMember         `bson:",inline"`
	Destination      string `bson:"destination" json:"destination" record:"label=前往国家（地区）,required,max=100,list,keyword"`
	Purpose          string `bson:"purpose" json:"purpose" record:"label=事由,required,list,options=official:因公|private:因私|study:留学|work:工作|settle:定居"`
	PurposeNote      string `bson:"purposeNote" json:"purposeNote" record:"label=事由说明,type=text,max=500"`
	DepartOn         string `bson:"departOn" json:"departOn" record:"label=出国（境）时间,type=date,required,list,search"`
	ExpectedReturnOn string `bson:"expectedReturnOn" json:"expectedReturnOn" record:"label=预计回国时间,type=date"`
	ReturnOn         string `bson:"returnOn" json:"returnOn" record:"label=实际回国时间,type=date,list"`
	RelationHandling string `bson:"relationHandling" json:"relationHandling" record:"label=组织关系处理,options=keep:保留组织关系|suspend:停止党籍|restore:恢复"`
	Files            []File `bson:"files,omitempty" json:"files" record:"label=附件"`
	Application      `bson:",inline"`
}
