package records

import (
	"context"

	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

// Recognise tells whether the member who has somebody's ID number is who the caller says: is.
// Known tells whether the caller may know that: if not, nothing that he sees may depend on it.
// Another name is refused to who may know, and is somebody else to who may not.
func Recognise(ctx context.Context, name, memberID, memberName string, orgs []string) (is, known bool, err error) {
	known = kit.CallerOf(ctx).Knows(memberID, orgs)
	if normal.Same(memberName, name) {
		return true, known, nil
	}
	if known {
		err = kit.InvalidFields(map[string]string{"name": "姓名与该身份证号的党员不一致"})
	}
	return false, false, err
}
