package records

import (
	"fmt"

	"zhihuidangjian/model"
)

// submission tells the admins who have to do with it what a member handed in (JOB-02).
func (t *recordType) submission(doc model.Document, by, permission string) model.Told {
	h := doc.Header()
	return model.Told{
		Kind: "submitted", Title: t.Title + "待处理", Content: fmt.Sprintf("%s提交了%s“%s”", by, t.Title, t.nameOf(doc)),
		TargetType: t.Name, TargetID: h.ID, AdminsOf: h.OrgID, Permission: permission,
	}
}

// decision tells the member whom it concerns, and the user who handed it in.
func (t *recordType) decision(doc model.Document, p *model.Approval, applicant string) model.Told {
	h, result := doc.Header(), "未通过"
	if p.State == model.ApprovalApproved {
		result = "已通过"
	}
	told := model.Told{
		Kind: "decided", Title: t.Title + "审批结果", Content: fmt.Sprintf("%s“%s”%s", t.Title, t.nameOf(doc), result),
		TargetType: t.Name, TargetID: h.ID, Page: "pages/records/detail?type=" + t.Name + "&id=" + h.ID,
		Fields: map[string]string{"title": t.Title, "result": result, "opinion": p.Opinion},
	}
	if p.Opinion != "" {
		told.Content += "，意见：" + p.Opinion
	}
	if applicant != "" {
		told.MemberIDs = []string{applicant}
	}
	if h.CreatedBy != "" && h.CreatedBy != applicant {
		told.UserIDs = []string{h.CreatedBy}
	}
	return told
}
