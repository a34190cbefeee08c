#!/bin/sh
# Generates idl/gen from idl/*.thrift with Kitex's slim template.
set -eu
cd "$(dirname "$0")/.."
rm -rf idl/gen
tool=$(mktemp -d)/kitex
(cd scripts/tools && go build -o "$tool" github.com/cloudwego/kitex/tool/cmd/kitex)
for f in account party dues meeting points notify; do
  "$tool" -template-extension idl/kitex-ext.yaml -module zhihuidangjian -gen-path idl/gen \
    -thrift template=slim,gen_setter=false,scan_value_for_enum=false,no_processor,skip_empty,reserve_comments,nil_safe,always_gen_json_tag,lower_camel_style_json_tag \
    "idl/$f.thrift" >/dev/null
done
gofmt -w idl/gen
