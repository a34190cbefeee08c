package party // want `"zhihuidangjian/rpc/party.mended write" is gone`

import (
	"zhihuidangjian/idl/gen/dues/dues"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/store"
)

type Service struct {
	*records.Engine
	dues dues.Client
	docs *model.Collection[string]
}

func (s *Service) closures() error { // want closures:"writes by Collection.Update"
	_, err := s.docs.Update("1", func(string) error {
		if err := store.Look(s.docs); err != nil {
			return err
		}
		if err := s.dues.GetOwed(); err != nil {
			return err
		}
		if err := s.dues.PayCash(); err != nil { // want `what may run more than once writes by Client.PayCash`
			return err
		}
		return s.docs.Insert("") // want `writes by Collection.Insert`
	})
	if err != nil {
		return err
	}
	change := func(string) error { return store.Keep(s.docs) } // want `writes by Keep → Collection.Insert`
	if _, err := s.docs.Update("1", change); err != nil {
		return err
	}
	if err := s.docs.SoftDelete("1", s.reduce); err != nil { // want `writes by reduce → Engine.Save`
		return err
	}
	return s.docs.SoftDelete("1", s.reducer()) // want `writes by reducer → Engine.Save`
}

func (s *Service) reduce(string) error { return s.Save("") } // want reduce:"writes by Engine.Save"

func (s *Service) reducer() func(string) error { // want reducer:"writes by Engine.Save"
	return func(string) error { return s.Engine.Save("") }
}

func (s *Service) declared() *records.Type[string] {
	t := &records.Type[string]{
		Actions: []records.Action[string]{{
			When:  func(x string) bool { return x != "" },
			Do:    s.reduce, // want `writes by reduce → Engine.Save`
			After: s.reduce,
		}},
		AfterSave: func(string) error { return s.dues.PayCash() },
	}
	t.BeforeSave = func(string) error { return s.dues.PayCash() } // want `writes by Client.PayCash`
	t.Follow = func(string) error { return s.dues.PayCash() }
	return t
}

func (s *Service) known() *records.Action[string] {
	return &records.Action[string]{Do: s.reduce}
}
