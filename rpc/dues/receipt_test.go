package dues

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signintech/gopdf"

	"zhihuidangjian/conf"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
)

// longest is a receipt that has every line.
func longest() *model.DuesOrder {
	at := time.Date(2024, 6, 15, 12, 0, 0, 0, kit.Shanghai)
	return &model.DuesOrder{
		OrderNo: "20240615123456789012", MemberName: "张三", IDMasked: "110***********002X", OrgName: "第一支部", CommitteeName: "中共示范市委员会",
		FromMonth: "2024-04", ToMonth: "2024-06", Items: make([]model.DuesItem, 3), Amount: 126_03, PayMethod: model.PayWeChat, PaidAt: &at,
		Operator: "王会计", TransactionNo: "4200020240615123456789012345",
	}
}

func fontsHere(t *testing.T) []string {
	t.Helper()
	fonts, err := paper.Installed(conf.Default().FontPath)
	if err != nil || len(fonts) != 3 {
		t.Fatalf("%v %v: run scripts/packages.sh", fonts, err)
	}
	return fonts
}

// copiedFrom is what a reader copies out of a PDF, without blanks.
func copiedFrom(t *testing.T, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "receipt.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return strings.Join(strings.Fields(string(text)), "")
}

// TestReceipt: prints lose no character and cut nothing (PLUS-49). RECEIPT=folder keeps them
// to look at.
func TestReceipt(t *testing.T) {
	fonts := fontsHere(t)
	hundred := func(s string) string { return string([]rune(strings.Repeat(s, 100))[:100]) }
	for name, change := range map[string]func(*model.DuesOrder){
		"plain": func(*model.DuesOrder) {},
		// The names of shared/cases/G1.xlsx and P6_0.xlsx.
		"G1": func(o *model.DuesOrder) {
			o.MemberName = "阿卜杜热合曼·穆罕默德伊敏江·阿不都热西提·买买提艾"
			o.OrgName = "中共示范市高新技术产业开发区某某街道办事处某某社区综合党委第二网格联合党支部委员会785"
		},
		"P6": func(o *model.DuesOrder) { o.MemberName = "张𫰠" },
		"rare": func(o *model.DuesOrder) { // of the planes behind the first, and of the first where Kai ends
			o.MemberName, o.Operator, o.OrgName = "𠮷𬭎䶮㛃", "𪚥𫔭", "𡋾洲村党支部"
		},
		"hundred": func(o *model.DuesOrder) {
			o.MemberName, o.OrgName, o.CommitteeName, o.Operator = hundred("买买提艾合"), hundred("某某社区综合党委"), hundred("中共示范市委员会"), hundred("王会计")
		},
	} {
		t.Run("PLUS-49 "+name+": every character shows and is copied as itself", func(t *testing.T) {
			o := longest()
			change(o)
			pdf, err := drawn(o, fonts)
			if err != nil {
				t.Fatal(err)
			}
			if folder := os.Getenv("RECEIPT"); folder != "" {
				if err := os.WriteFile(filepath.Join(folder, name+".pdf"), pdf, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := copiedFrom(t, pdf)
			for _, want := range []string{o.CommitteeName, o.OrgName, o.MemberName, o.IDMasked, o.Operator, o.OrderNo, o.TransactionNo, capitals(o.Amount), "收款单位（盖章）："} {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			checkObjects(t, string(pdf))
		})
	}
	t.Run("PLUS-49 nothing leaves the page", func(t *testing.T) {
		o := longest()
		o.MemberName, o.OrgName, o.CommitteeName, o.Operator = hundred("买"), hundred("某"), hundred("中"), hundred("王")
		p := paper.New(gopdf.Rect{W: gopdf.PageSizeA5.H, H: gopdf.PageSizeA5.W}, fonts)
		for _, scale := range []float64{1, .5} {
			head, body, _, bottom, err := layout(p, o, scale)
			if err != nil {
				t.Fatal(err)
			}
			if scale == .5 && bottom > p.Height {
				t.Errorf("%v of %v", bottom, p.Height)
			}
			for _, x := range append(head, body...) {
				if w, err := p.Measure(x.text, x.size); err != nil || x.x < 48 || x.x+w > p.Width-48 {
					t.Errorf("%q from %v to %v of %v, %v", x.text, x.x, x.x+w, p.Width, err)
				}
			}
		}
		if _, _, _, bottom, err := layout(p, longest(), 1); err != nil || bottom > p.Height {
			t.Errorf("an ordinary one is made smaller: %v, %v", bottom, err)
		}
	})
	t.Run("PLUS-49 what no font has is refused by its name, and never left blank", func(t *testing.T) {
		for text, names := range map[string]string{"张\U0010FFFD": "U+10FFFD", "张\ue123": "U+E123", "张🎉": "U+1F389"} {
			o := longest()
			o.MemberName = text
			_, err := drawn(o, fonts)
			if e := kit.FromError(err); e.Key != "paper.glyph" || !strings.Contains(e.Message, names) {
				t.Errorf("%q: %v", text, err)
			}
		}
		o := longest()
		o.MemberName = "张𫰠"
		_, err := drawn(o, fonts[:1]) // the second font is not installed
		if e := kit.FromError(err); e.Key != "paper.glyph" || !strings.Contains(e.Message, "“𫰠”（U+2BC20）") {
			t.Error(err)
		}
	})
	t.Run("fonts that are not there are passed over, and one must be", func(t *testing.T) {
		if got, err := paper.Installed("/none.ttf," + fonts[0]); err != nil || len(got) != 1 {
			t.Errorf("%v %v", got, err)
		}
		if _, err := paper.Installed("/none.ttf"); kit.FromError(err).Key != "paper.font" {
			t.Error(err)
		}
	})
}

// checkObjects follows the table of a PDF to each of its objects.
func checkObjects(t *testing.T, pdf string) {
	t.Helper()
	_, tail, _ := strings.Cut(pdf, "startxref\n")
	at, err := strconv.Atoi(strings.SplitN(tail, "\n", 2)[0])
	if err != nil || !strings.HasPrefix(pdf[at:], "xref\n") {
		t.Fatalf("the table is not at %d: %v", at, err)
	}
	for i, m := range regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`).FindAllStringSubmatch(pdf[at:], -1) {
		of, err := strconv.Atoi(m[1])
		if err != nil || !strings.HasPrefix(strings.TrimLeft(pdf[of:], "\n"), fmt.Sprintf("%d 0 obj", i+1)) {
			t.Errorf("object %d is not at %d", i+1, of)
		}
	}
	for _, m := range regexp.MustCompile(`(?s)/Length (\d+)\n>>\nstream\n(/CIDInit.*?)endstream`).FindAllStringSubmatch(pdf, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n != len(m[2]) {
			t.Errorf("a stream of %d bytes is told to have %s", len(m[2]), m[1])
		}
	}
}

// drawn is a receipt as a file of its own.
func drawn(o *model.DuesOrder, fonts []string) ([]byte, error) {
	p := paper.New(gopdf.Rect{W: gopdf.PageSizeA5.H, H: gopdf.PageSizeA5.W}, fonts)
	if err := receipt(p, o); err != nil {
		return nil, err
	}
	return p.Bytes()
}
