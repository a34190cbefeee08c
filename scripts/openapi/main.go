// Command openapi prints the document that /openapi.json answers, from the routes alone: nothing
// is started. scripts/types.sh makes the clients' types of it.
package main

import (
	"encoding/json"
	"log"
	"os"

	"zhihuidangjian/bff/edge"
)

func main() {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", " ")
	if err := e.Encode(edge.OpenAPI(edge.Table())); err != nil {
		log.Fatal(err)
	}
}
