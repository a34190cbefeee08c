package world

import (
	"maps"
	"time"

	"zhihuidangjian/bff/bfftest"
)

// Form is what a person fills in, by field.
type Form map[string]any

// With is a copy with other values.
func (f Form) With(other Form) Form {
	c := maps.Clone(f)
	maps.Copy(c, other)
	return c
}

// OrgForm is a new organisation below a parent.
func OrgForm(orgName, orgType, parent string) Form {
	return Form{
		"orgName": orgName, "orgType": orgType, "parentId": parent, "secretary": "书记" + orgName, "secretaryPhone": "13900139000",
		"contactName": "联系人" + orgName, "contactPhone": "010-88886666", "address": "示范路1号",
	}
}

func userForm(userName, realName, orgID string, permissions ...string) Form {
	return Form{"userName": userName, "password": UserPassword, "realName": realName, "orgId": orgID, "status": "enabled", "permissions": permissions}
}

// MemberForm is a person as a full member of a branch.
func MemberForm(p bfftest.Person, orgID string) Form {
	return Form{
		"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "orgId": orgID, "memberType": "fullMember",
		"joinedOn": "2010-07-01", "regularizedOn": "2011-07-01",
	}
}

// MeetingForm is a meeting that runs, unless changed.
func MeetingForm(title string, change Form) Form {
	return Form{
		"title": title, "meetingType": "branch", "meetingForm": "onlineMeeting", "needSignIn": true, "noticeForm": []string{"site"},
		"startAt": time.Now().Add(-time.Minute).Format(time.RFC3339), "endAt": time.Now().Add(time.Hour).Format(time.RFC3339),
	}.With(change)
}

// Day is a date, some days from today.
func Day(n int) string {
	return time.Now().In(time.FixedZone("Asia/Shanghai", 8*3600)).AddDate(0, 0, n).Format(time.DateOnly)
}
