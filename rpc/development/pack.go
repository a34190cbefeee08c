package development

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// mostPacked bounds a zip of materials, which is made in memory.
const mostPacked = 100 << 20

// packCase is the zip of a case: 纪实表, and each step's materials in order under names that people
// read (PLUS-07). It holds what the caller may see of the case, no more.
func (s *Service) packCase(ctx context.Context, c *model.DevelopmentCase) (*recordsgen.File, error) {
	x, err := s.show(ctx, c)
	if err != nil {
		return nil, err
	}
	printed, err := s.printCase(ctx, c)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	size, used := 0, map[string]int{}
	put := func(name string, data []byte) error {
		if size += len(data); size > mostPacked {
			return kit.Conflict("development.packed", "材料合计超过100MB，请逐个下载")
		}
		if used[name]++; used[name] > 1 { // two files of one name
			dot := max(strings.LastIndex(name, "."), strings.LastIndex(name, "/")+1)
			name = fmt.Sprintf("%s(%d)%s", name[:dot], used[name], name[dot:])
		}
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	if err := put("00 发展党员全程纪实表.pdf", printed.Data); err != nil {
		return nil, err
	}
	for _, stage := range x.Stages {
		for _, p := range stage.Steps {
			for _, m := range p.Materials {
				for _, f := range m.Files {
					data, err := s.Contents(ctx, f.Id)
					if err != nil {
						return nil, err
					}
					name := plain(f.Name)
					if kind := plain(m.Kind); !strings.HasPrefix(name, kind) {
						name = kind + " " + name
					}
					if err := put(fmt.Sprintf("%02d %s/%s", p.No, plain(p.Name), name), data); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	return &recordsgen.File{Name: "发展党员材料" + plain(x.Name) + ".zip", ContentType: "application/zip", Data: out.Bytes()}, nil
}

// plain is a name without what means something in a path.
func plain(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name), " .")
}
