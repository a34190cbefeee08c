package suite

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// AdminName is the user name of the first admin.
const AdminName = "admin"

// Prepare makes a first start usable, each process what its own services hold: the root
// organisation, the first admin, and demo data in the sandbox. It says how to log in, once,
// and nothing in a process without accounts. Any number of processes may do it, in any
// order and at the same time; later starts change nothing.
func (s *Services) Prepare(ctx context.Context) (welcome string, err error) {
	cfg := s.platform.Config
	demo := cfg.Demo && s.platform.SandboxURL != ""
	// A newcomer waits for all of it, so what can goes together.
	ctx = kit.AsSystem(ctx)
	var together kit.Group
	organizations := sync.OnceValue(func() error { return s.organizations(ctx, demo) })
	if s.party != nil {
		together.Go("organisations", organizations)
	}
	if s.account != nil {
		together.Go("first admin", func() (err error) {
			welcome, err = s.firstAdmin(ctx, cfg.AdminPassword)
			return err
		})
	}
	if demo {
		for _, seed := range s.seeds {
			together.Go("demo data", func() error {
				if err := organizations(); err != nil {
					return err
				}
				if err := seed(ctx); err != nil {
					return fmt.Errorf("demo data: %w", err)
				}
				return nil
			})
		}
	}
	err = together.Wait()
	return welcome, err
}

// organizations stores the root organisation and, for a demo, what is below it; a process
// without party waits until another has.
func (s *Services) organizations(ctx context.Context, demo bool) error {
	if s.party == nil {
		return awaitRoot(ctx, s.Clients.Party)
	}
	if demo {
		if err := s.party.SeedDemo(ctx); err != nil {
			return fmt.Errorf("demo data: %w", err)
		}
	}
	if err := s.party.EnsureRoot(ctx); err != nil {
		return fmt.Errorf("root organisation: %w", err)
	}
	return nil
}

// firstAdmin says how to log in. The admin belongs to the root organisation, which need not
// be there yet.
func (s *Services) firstAdmin(ctx context.Context, password string) (string, error) {
	if password == "" {
		password = "Dj-" + strings.ToLower(rand.Text()[:10]) + "7"
	}
	created, err := s.account.EnsureAdmin(ctx, AdminName, password)
	if err != nil {
		return "", fmt.Errorf("first admin: %w", err)
	}
	if !created {
		return "管理员 admin   " + AdminName + "（密码见首次启动 / password as on the first start）", nil
	}
	return "管理员 admin   " + AdminName + " / " + password, nil
}

// patience bounds how long a process waits for party to be prepared by another: somebody
// may start them one by one.
const patience = 2 * time.Minute

// awaitRoot waits until the party service is found and has the root organisation, which it
// stores after all that demo data of the others is made of.
func awaitRoot(ctx context.Context, c party.Client) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for told := false; ; told = true {
		_, err := c.GetOrganization(ctx, &partygen.OrgReq{OrgId: model.RootOrg})
		if err == nil {
			return nil
		}
		if !told {
			slog.Info("waiting for party, which another process prepares", "cause", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("party is not prepared: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
