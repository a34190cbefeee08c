// Package account knows the users of the console and the WeChat users of the phone
// pages: slide captcha, log-in with lock-out, sessions that can be ended (manual 1, 2.8).
package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB      *mongo.Database
	Redis   redis.UniversalClient
	Seal    *model.Sealer
	Clock   *kit.Clock
	Party   party.Client
	Sandbox bool // tells scripts the answers of captchas
	Blobs   blob.Store
}

// Service implements the generated account.Account.
type Service struct {
	*records.Engine
	users       *model.Collection[*model.User]
	delegations *model.Collection[*model.Delegation]
	roles       *model.Collection[*model.Role]
	db          *mongo.Database
	redis       redis.UniversalClient
	clock       *kit.Clock
	party       party.Client
	sandbox     bool
	hasher      hasher
	drawing     *turns // of captchas
	ahead       ahead

	sessions *kit.Batcher[string, *session]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		users: model.NewCollection[*model.User](d.DB, "users", d.Clock.Now), delegations: model.NewCollection[*model.Delegation](d.DB, "delegations", d.Clock.Now),
		roles: model.NewCollection[*model.Role](d.DB, "roles", d.Clock.Now),
		db:    d.DB, redis: d.Redis, clock: d.Clock, party: d.Party, sandbox: d.Sandbox,
		// A third of a core for passwords, a sixth for captchas.
		hasher: hasher{newTurns(1, 2, 128)}, drawing: newTurns(1, 5, 128),
	}
	s.sessions = kit.NewBatcher(sessionsAtOnce, s.sessionsOf)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.users.EnsureIndexes(ctx, model.Index{
		Keys: bson.D{{Key: "userName", Value: 1}}, Unique: true, Partial: bson.D{{Key: "deleted", Value: false}},
	}, model.Index{Keys: bson.D{{Key: "roleIds", Value: 1}}})
	if err != nil {
		return nil, err
	}
	if s.Engine, err = s.newEngine(ctx, records.Config{DB: d.DB, Clock: d.Clock, Seal: d.Seal, Blobs: d.Blobs}); err != nil {
		return nil, err
	}
	return s, nil
}

// Close waits for what goes on beside requests.
func (s *Service) Close() {
	_ = s.ahead.running.Wait() // logged where it happened
	s.Engine.Close()
}

// EnsureAdmin creates the first admin, 一级管理员 of the root organisation, unless any
// user exists. It reports whether it did, and not another process at the same time; the
// password is never kept in clear.
func (s *Service) EnsureAdmin(ctx context.Context, userName, password string) (bool, error) {
	n, err := s.users.Count(ctx, model.Everything, nil)
	if err != nil || n > 0 {
		return false, err
	}
	err = s.createUser(ctx, &model.User{
		Base:     model.Base{OrgID: model.RootOrg, Orgs: []string{model.RootOrg}},
		UserName: userName, RealName: "系统管理员", Permissions: []string{"*"},
	}, password)
	if errors.Is(err, model.ErrDuplicate) {
		return false, nil
	}
	return err == nil, err
}

// CreateUser adds a user of an organisation; its password must be strong.
func (s *Service) CreateUser(ctx context.Context, u *model.User, password string) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	return s.createUser(ctx, u, password)
}

func (s *Service) createUser(ctx context.Context, u *model.User, password string) error {
	if err := s.setPassword(ctx, u, "newPassword", "", password); err != nil {
		return err
	}
	u.ID, u.Status = kit.NewID(s.clock.Now()), "enabled"
	if err := s.users.Insert(ctx, u); errors.Is(err, model.ErrDuplicate) {
		return kit.InvalidFields(map[string]string{"userName": "用户名已存在"}).Because(err)
	} else if err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	return nil
}
