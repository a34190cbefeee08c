module zhihuidangjian/scripts/tools

go 1.26.0

// What lint puts together: staticcheck, errorlint, and the checks of go vet and beside it; and
// the parser and the messages of idl.
require (
	codeberg.org/polyfloyd/go-errorlint v1.9.1
	github.com/cloudwego/thriftgo v0.4.3
	golang.org/x/tools v0.52.0
	honnef.co/go/tools v0.8.2
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/bytedance/gopkg v0.1.3 // indirect
	github.com/cloudwego/gopkg v0.1.8 // indirect
	github.com/dlclark/regexp2 v1.11.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.14.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
