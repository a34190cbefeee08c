package model

// The ways by which the record of an Application came in.
const (
	FromConsole = "console"
	FromMobile  = "mobile"
)

// Application 申请 is the part of a document about a member for which he applied and on which
// an admin decides, or which an admin entered without a decision. Embed it inline, beside an
// OfMember.
type Application struct {
	Approval `bson:",inline"`
	Channel  string `bson:"channel" json:"channel" record:"label=途径,readonly,options=console:后台|mobile:手机"`
}

// Applications gives the record engine access to the Application of any document.
func (a *Application) Applications() *Application { return a }
