#!/bin/sh
# Generates idl/gen from idl/*.thrift with Kitex's slim template. Only files that differ are
# written, so that builds beside it go on.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd scripts/tools && go build -o "$work/kitex" github.com/cloudwego/kitex/tool/cmd/kitex)
cp go.mod "$work" && mkdir "$work/idl" && cp idl/*.thrift idl/*.yaml "$work/idl"
(cd "$work"
  for f in idl/*.thrift; do
    [ "$f" = idl/records.thrift ] && continue # included by the others
    ./kitex -template-extension idl/kitex-ext.yaml -module zhihuidangjian -gen-path idl/gen \
      -thrift template=slim,gen_setter=false,scan_value_for_enum=false,no_processor,skip_empty,reserve_comments,nil_safe,always_gen_json_tag,lower_camel_style_json_tag \
      "$f" >/dev/null
  done
  gofmt -w idl/gen)
(cd "$work/idl/gen" && find . -type f) | while read -r f; do
  cmp -s "$work/idl/gen/$f" "idl/gen/$f" || { mkdir -p "idl/gen/$(dirname "$f")" && cp "$work/idl/gen/$f" "idl/gen/$f"; }
done
[ -d idl/gen ] && (cd idl/gen && find . -type f) | while read -r f; do
  [ -e "$work/idl/gen/$f" ] || rm "idl/gen/$f"
done
