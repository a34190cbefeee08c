package meeting

import (
	"fmt"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// invitation tells the participants of a meeting by its forms of notice, and of each who
// could not be reached why (MEET-12).
func invitation(m *model.Meeting) model.Told {
	at, place := m.StartAt.In(kit.Shanghai).Format("2006年01月02日 15:04"), m.Place
	if place == "" {
		place = "线上"
	}
	return model.Told{
		Kind: "meetingStarted", Title: "会议通知", Content: fmt.Sprintf("“%s”将于%s开始，地点：%s", m.Title, at, place),
		TargetType: "meeting", TargetID: m.ID, Page: "pages/meeting/detail?id=" + m.ID,
		Fields:    map[string]string{"title": m.Title, "time": at, "place": place},
		MemberIDs: m.ParticipantIDs, Channels: m.NoticeForm, Traced: true,
	}
}

// attendance is what a scanned check-in at an offline activity earns: for the member
// (PTS-09), and as one more head for the organisation that holds it (PTS-15, A12).
func attendance(m *model.Meeting, c *kit.Caller, at time.Time) model.Earned {
	return model.Earned{SourceType: "meeting", SourceID: m.ID, At: at, Shares: []model.Share{
		{
			Dimension: model.DimensionPersonal, Item: model.ItemOfflineActivity, SubjectID: c.MemberID,
			OrgID: c.OrgID, Orgs: c.Orgs, Units: 1, Source: m.Title,
		},
		{
			Dimension: model.DimensionOrganisation, Item: model.ItemOfflineQuality, SubjectID: m.OrgID,
			OrgID: m.OrgID, Orgs: m.Orgs, Units: 1, Source: m.Title + " " + c.Name,
		},
	}}
}
