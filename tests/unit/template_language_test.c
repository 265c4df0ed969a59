/* The language over one notification: each row is what amtool renders, or its error. */
#include "template_bench.h"

static const struct template_case cases[] = {
    {"{{ printf \"x\" 1 \"a\" 2.5 }}", "x%!(EXTRA int=1, string=a, float64=2.5)"},
    {"{{ printf 3 }}", "!template: :1:10: executing \"\" at <3>: expected string; found 3"},
    {"{{ eq 1 1.0 }}", "!template: :1:3: executing \"\" at <eq 1 1.0>: error calling eq: "
                       "incompatible types for comparison"},
    {"{{ eq 2 2 }}", "true"},
    {"{{ eq 1.0 2 }}", "!template: :1:3: executing \"\" at <eq 1.0 2>: error calling eq: "
                       "incompatible types for comparison"},
    {"{{ eq 1.0 nil }}", "false"},
    {"{{ eq \"a\" 1.0 }}", "!template: :1:3: executing \"\" at <eq \"a\" 1.0>: error calling eq: "
                           "incompatible types for comparison"},
    {"{{ eq \"a\" true }}", "!template: :1:3: executing \"\" at <eq \"a\" true>: error calling eq: "
                            "incompatible types for comparison"},
    {"{{ eq \"a\" (len .Alerts) }}", "!template: :1:3: executing \"\" at <eq \"a\" (len .Alerts)>: "
                                     "error calling eq: incompatible types for comparison"},
    {"{{ eq \"b\" 2 }}", "!template: :1:3: executing \"\" at <eq \"b\" 2>: error calling eq: "
                         "incompatible types for comparison"},
    {"{{ eq \"b\" true }}", "!template: :1:3: executing \"\" at <eq \"b\" true>: error calling eq: "
                            "incompatible types for comparison"},
    {"{{ eq \"b\" (len .Alerts) }}", "!template: :1:3: executing \"\" at <eq \"b\" (len .Alerts)>: "
                                     "error calling eq: incompatible types for comparison"},
    {"{{ eq nil true }}", "false"},
    {"{{ eq .CommonLabels.job 2 }}", "!template: :1:3: executing \"\" at <eq .CommonLabels.job 2>: "
                                     "error calling eq: incompatible types for comparison"},
    {"{{ eq .CommonLabels.job nil }}", "false"},
    {"{{ eq (len .Alerts) 2 }}", "true"},
    {"{{ eq (len .Alerts) nil }}", "false"},
    {"{{ eq (len .Alerts) .Alerts }}",
     "!template: :1:3: executing \"\" at <eq (len .Alerts) .Alerts>: error calling eq: "
     "incompatible types for comparison"},
    {"{{ eq .Alerts 1.0 }}", "!template: :1:3: executing \"\" at <eq .Alerts 1.0>: error calling "
                             "eq: incompatible types for comparison"},
    {"{{ eq .Alerts .CommonLabels.job }}",
     "!template: :1:3: executing \"\" at <eq .Alerts .CommonLabels.job>: error calling eq: "
     "incompatible types for comparison"},
    {"{{ ne 1 2 }}", "true"},
    {"{{ ne 1 nil }}", "true"},
    {"{{ ne 2 nil }}", "true"},
    {"{{ ne 1.0 true }}", "!template: :1:3: executing \"\" at <ne 1.0 true>: error calling ne: "
                          "incompatible types for comparison"},
    {"{{ ne \"a\" 2 }}", "!template: :1:3: executing \"\" at <ne \"a\" 2>: error calling ne: "
                         "incompatible types for comparison"},
    {"{{ ne \"a\" \"b\" }}", "true"},
    {"{{ ne \"a\" .CommonLabels.job }}", "true"},
    {"{{ ne \"b\" 1 }}", "!template: :1:3: executing \"\" at <ne \"b\" 1>: error calling ne: "
                         "incompatible types for comparison"},
    {"{{ ne \"b\" \"b\" }}", "false"},
    {"{{ ne \"b\" .CommonLabels.job }}", "true"},
    {"{{ ne true true }}", "false"},
    {"{{ ne .CommonLabels.job 1 }}", "!template: :1:3: executing \"\" at <ne .CommonLabels.job 1>: "
                                     "error calling ne: incompatible types for comparison"},
    {"{{ ne .CommonLabels.job true }}",
     "!template: :1:3: executing \"\" at <ne .CommonLabels.job true>: error calling ne: "
     "incompatible types for comparison"},
    {"{{ ne (len .Alerts) 1 }}", "true"},
    {"{{ ne (len .Alerts) true }}", "!template: :1:3: executing \"\" at <ne (len .Alerts) true>: "
                                    "error calling ne: incompatible types for comparison"},
    {"{{ ne (len .Alerts) (len .Alerts) }}", "false"},
    {"{{ ne .Alerts 2 }}", "!template: :1:3: executing \"\" at <ne .Alerts 2>: error calling ne: "
                           "incompatible types for comparison"},
    {"{{ ne .Alerts nil }}", "true"},
    {"{{ lt 1 1 }}", "false"},
    {"{{ lt 1 true }}", "!template: :1:3: executing \"\" at <lt 1 true>: error calling lt: "
                        "incompatible types for comparison"},
    {"{{ lt 2 true }}", "!template: :1:3: executing \"\" at <lt 2 true>: error calling lt: "
                        "incompatible types for comparison"},
    {"{{ lt 1.0 1.0 }}", "false"},
    {"{{ lt \"a\" 1 }}", "!template: :1:3: executing \"\" at <lt \"a\" 1>: error calling lt: "
                         "incompatible types for comparison"},
    {"{{ lt \"a\" \"a\" }}", "false"},
    {"{{ lt \"a\" nil }}", "!template: :1:3: executing \"\" at <lt \"a\" nil>: error calling lt: "
                           "invalid type for comparison"},
    {"{{ lt \"a\" .Alerts }}", "!template: :1:3: executing \"\" at <lt \"a\" .Alerts>: error "
                               "calling lt: invalid type for comparison"},
    {"{{ lt \"b\" 1.0 }}", "!template: :1:3: executing \"\" at <lt \"b\" 1.0>: error calling lt: "
                           "incompatible types for comparison"},
    {"{{ lt \"b\" nil }}", "!template: :1:3: executing \"\" at <lt \"b\" nil>: error calling lt: "
                           "invalid type for comparison"},
    {"{{ lt \"b\" .Alerts }}", "!template: :1:3: executing \"\" at <lt \"b\" .Alerts>: error "
                               "calling lt: invalid type for comparison"},
    {"{{ lt nil nil }}", "!template: :1:3: executing \"\" at <lt nil nil>: error calling lt: "
                         "invalid type for comparison"},
    {"{{ lt .CommonLabels.job 1.0 }}", "!template: :1:3: executing \"\" at <lt .CommonLabels.job "
                                       "1.0>: error calling lt: incompatible types for comparison"},
    {"{{ lt .CommonLabels.job .CommonLabels.job }}", "false"},
    {"{{ lt (len .Alerts) 1.0 }}", "!template: :1:3: executing \"\" at <lt (len .Alerts) 1.0>: "
                                   "error calling lt: incompatible types for comparison"},
    {"{{ lt (len .Alerts) .CommonLabels.job }}",
     "!template: :1:3: executing \"\" at <lt (len .Alerts) .CommonLabels.job>: error calling lt: "
     "incompatible types for comparison"},
    {"{{ lt .Alerts 1 }}", "!template: :1:3: executing \"\" at <lt .Alerts 1>: error calling lt: "
                           "invalid type for comparison"},
    {"{{ lt .Alerts true }}", "!template: :1:3: executing \"\" at <lt .Alerts true>: error calling "
                              "lt: invalid type for comparison"},
    {"{{ lt .Alerts .Alerts }}", "!template: :1:3: executing \"\" at <lt .Alerts .Alerts>: error "
                                 "calling lt: invalid type for comparison"},
    {"{{ le 1 1.0 }}", "!template: :1:3: executing \"\" at <le 1 1.0>: error calling le: "
                       "incompatible types for comparison"},
    {"{{ le 2 2 }}", "true"},
    {"{{ le 1.0 2 }}", "!template: :1:3: executing \"\" at <le 1.0 2>: error calling le: "
                       "incompatible types for comparison"},
    {"{{ le 1.0 nil }}", "!template: :1:3: executing \"\" at <le 1.0 nil>: error calling le: "
                         "invalid type for comparison"},
    {"{{ le \"a\" 1.0 }}", "!template: :1:3: executing \"\" at <le \"a\" 1.0>: error calling le: "
                           "incompatible types for comparison"},
    {"{{ le \"a\" true }}", "!template: :1:3: executing \"\" at <le \"a\" true>: error calling le: "
                            "incompatible types for comparison"},
    {"{{ le \"a\" (len .Alerts) }}", "!template: :1:3: executing \"\" at <le \"a\" (len .Alerts)>: "
                                     "error calling le: incompatible types for comparison"},
    {"{{ le \"b\" 2 }}", "!template: :1:3: executing \"\" at <le \"b\" 2>: error calling le: "
                         "incompatible types for comparison"},
    {"{{ le \"b\" true }}", "!template: :1:3: executing \"\" at <le \"b\" true>: error calling le: "
                            "incompatible types for comparison"},
    {"{{ le \"b\" (len .Alerts) }}", "!template: :1:3: executing \"\" at <le \"b\" (len .Alerts)>: "
                                     "error calling le: incompatible types for comparison"},
    {"{{ le nil true }}", "!template: :1:3: executing \"\" at <le nil true>: error calling le: "
                          "invalid type for comparison"},
    {"{{ le .CommonLabels.job 2 }}", "!template: :1:3: executing \"\" at <le .CommonLabels.job 2>: "
                                     "error calling le: incompatible types for comparison"},
    {"{{ le .CommonLabels.job nil }}", "!template: :1:3: executing \"\" at <le .CommonLabels.job "
                                       "nil>: error calling le: invalid type for comparison"},
    {"{{ le (len .Alerts) 2 }}", "true"},
    {"{{ le (len .Alerts) nil }}", "!template: :1:3: executing \"\" at <le (len .Alerts) nil>: "
                                   "error calling le: invalid type for comparison"},
    {"{{ le (len .Alerts) .Alerts }}", "!template: :1:3: executing \"\" at <le (len .Alerts) "
                                       ".Alerts>: error calling le: invalid type for comparison"},
    {"{{ le .Alerts 1.0 }}", "!template: :1:3: executing \"\" at <le .Alerts 1.0>: error calling "
                             "le: invalid type for comparison"},
    {"{{ le .Alerts .CommonLabels.job }}",
     "!template: :1:3: executing \"\" at <le .Alerts .CommonLabels.job>: error calling le: invalid "
     "type for comparison"},
    {"{{ gt 1 2 }}", "false"},
    {"{{ gt 1 nil }}", "!template: :1:3: executing \"\" at <gt 1 nil>: error calling gt: invalid "
                       "type for comparison"},
    {"{{ gt 2 nil }}", "!template: :1:3: executing \"\" at <gt 2 nil>: error calling gt: invalid "
                       "type for comparison"},
    {"{{ gt 1.0 true }}", "!template: :1:3: executing \"\" at <gt 1.0 true>: error calling gt: "
                          "incompatible types for comparison"},
    {"{{ gt \"a\" 2 }}", "!template: :1:3: executing \"\" at <gt \"a\" 2>: error calling gt: "
                         "incompatible types for comparison"},
    {"{{ gt \"a\" \"b\" }}", "false"},
    {"{{ gt \"a\" .CommonLabels.job }}", "false"},
    {"{{ gt \"b\" 1 }}", "!template: :1:3: executing \"\" at <gt \"b\" 1>: error calling gt: "
                         "incompatible types for comparison"},
    {"{{ gt \"b\" \"b\" }}", "false"},
    {"{{ gt \"b\" .CommonLabels.job }}", "true"},
    {"{{ gt true true }}", "!template: :1:3: executing \"\" at <gt true true>: error calling gt: "
                           "invalid type for comparison"},
    {"{{ gt .CommonLabels.job 1 }}", "!template: :1:3: executing \"\" at <gt .CommonLabels.job 1>: "
                                     "error calling gt: incompatible types for comparison"},
    {"{{ gt .CommonLabels.job true }}",
     "!template: :1:3: executing \"\" at <gt .CommonLabels.job true>: error calling gt: "
     "incompatible types for comparison"},
    {"{{ gt (len .Alerts) 1 }}", "true"},
    {"{{ gt (len .Alerts) true }}", "!template: :1:3: executing \"\" at <gt (len .Alerts) true>: "
                                    "error calling gt: incompatible types for comparison"},
    {"{{ gt (len .Alerts) (len .Alerts) }}", "false"},
    {"{{ gt .Alerts 2 }}", "!template: :1:3: executing \"\" at <gt .Alerts 2>: error calling gt: "
                           "invalid type for comparison"},
    {"{{ gt .Alerts nil }}", "!template: :1:3: executing \"\" at <gt .Alerts nil>: error calling "
                             "gt: invalid type for comparison"},
    {"{{ ge 1 1 }}", "true"},
    {"{{ ge 1 true }}", "!template: :1:3: executing \"\" at <ge 1 true>: error calling ge: "
                        "incompatible types for comparison"},
    {"{{ ge 2 true }}", "!template: :1:3: executing \"\" at <ge 2 true>: error calling ge: "
                        "incompatible types for comparison"},
    {"{{ ge 1.0 1.0 }}", "true"},
    {"{{ ge \"a\" 1 }}", "!template: :1:3: executing \"\" at <ge \"a\" 1>: error calling ge: "
                         "incompatible types for comparison"},
    {"{{ ge \"a\" \"a\" }}", "true"},
    {"{{ ge \"a\" nil }}", "!template: :1:3: executing \"\" at <ge \"a\" nil>: error calling ge: "
                           "invalid type for comparison"},
    {"{{ ge \"a\" .Alerts }}", "!template: :1:3: executing \"\" at <ge \"a\" .Alerts>: error "
                               "calling ge: invalid type for comparison"},
    {"{{ ge \"b\" 1.0 }}", "!template: :1:3: executing \"\" at <ge \"b\" 1.0>: error calling ge: "
                           "incompatible types for comparison"},
    {"{{ ge \"b\" nil }}", "!template: :1:3: executing \"\" at <ge \"b\" nil>: error calling ge: "
                           "invalid type for comparison"},
    {"{{ ge \"b\" .Alerts }}", "!template: :1:3: executing \"\" at <ge \"b\" .Alerts>: error "
                               "calling ge: invalid type for comparison"},
    {"{{ ge nil nil }}", "!template: :1:3: executing \"\" at <ge nil nil>: error calling ge: "
                         "invalid type for comparison"},
    {"{{ ge .CommonLabels.job 1.0 }}", "!template: :1:3: executing \"\" at <ge .CommonLabels.job "
                                       "1.0>: error calling ge: incompatible types for comparison"},
    {"{{ ge .CommonLabels.job .CommonLabels.job }}", "true"},
    {"{{ ge (len .Alerts) 1.0 }}", "!template: :1:3: executing \"\" at <ge (len .Alerts) 1.0>: "
                                   "error calling ge: incompatible types for comparison"},
    {"{{ ge (len .Alerts) .CommonLabels.job }}",
     "!template: :1:3: executing \"\" at <ge (len .Alerts) .CommonLabels.job>: error calling ge: "
     "incompatible types for comparison"},
    {"{{ ge .Alerts 1 }}", "!template: :1:3: executing \"\" at <ge .Alerts 1>: error calling ge: "
                           "invalid type for comparison"},
    {"{{ ge .Alerts true }}", "!template: :1:3: executing \"\" at <ge .Alerts true>: error calling "
                              "ge: invalid type for comparison"},
    {"{{ ge .Alerts .Alerts }}", "!template: :1:3: executing \"\" at <ge .Alerts .Alerts>: error "
                                 "calling ge: invalid type for comparison"},
    {"{{ eq 1 2 1 }}", "true"},
    {"{{ and }}", "!template: :1:3: executing \"\" at <and>: wrong number of args for and: want at "
                  "least 1 got 0"},
    {"{{ and 1 0 2 }}", "0"},
    {"{{ or 0 \"\" \"x\" }}", "x"},
    {"{{ or 0 }}", "0"},
    {"{{ not 1 }}", "false"},
    {"{{ not }}",
     "!template: :1:3: executing \"\" at <not>: wrong number of args for not: want 1 got 0"},
    {"{{ and true .Nope }}", "!template: :1:12: executing \"\" at <.Nope>: can't evaluate field "
                             "Nope in type template.Data"},
    {"{{ or true .Nope }}", "true"},
    {"{{ len \"abc\" }}", "3"},
    {"{{ len 3 }}",
     "!template: :1:3: executing \"\" at <len 3>: error calling len: len of type int"},
    {"{{ len nil }}",
     "!template: :1:3: executing \"\" at <len nil>: error calling len: len of nil pointer"},
    {"{{ len .CommonLabels }}", "2"},
    {"{{ index .Alerts 0 }}x", "{firing alertname=Slow, gpu=0, severity=critical n=12.5, summary=a "
                               "<b> & 'c' \"d\" 2024-02-29 13:04:05.678 +0000 UTC 0001-01-01 "
                               "00:00:00 +0000 UTC http://p/graph\?a=1&b=2 00000000deadbeef}x"},
    {"{{ index .Alerts 5 }}", "!template: :1:3: executing \"\" at <index .Alerts 5>: error calling "
                              "index: index out of range: 5"},
    {"{{ index .CommonLabels \"job\" }}", "api"},
    {"{{ index .CommonLabels \"nope\" }}", ""},
    {"{{ index .CommonLabels 1 }}", "!template: :1:3: executing \"\" at <index .CommonLabels 1>: "
                                    "error calling index: value has type int; should be string"},
    {"{{ index \"abc\" 1 }}", "98"},
    {"{{ index 3 1 }}", "!template: :1:3: executing \"\" at <index 3 1>: error calling index: "
                        "can't index item of type int"},
    {"{{ index nil 1 }}",
     "!template: :1:3: executing \"\" at <index nil 1>: error calling index: index of untyped nil"},
    {"{{ (index .Alerts 0).Labels.gpu }}", "0"},
    {"{{ slice \"abcdef\" 1 3 }}", "bc"},
    {"{{ slice \"abc\" 2 }}", "c"},
    {"{{ slice \"abc\" 3 1 }}", "!template: :1:3: executing \"\" at <slice \"abc\" 3 1>: error "
                                "calling slice: invalid slice index: 3 > 1"},
    {"{{ slice \"abc\" 9 }}", "!template: :1:3: executing \"\" at <slice \"abc\" 9>: error calling "
                              "slice: index out of range: 9"},
    {"{{ slice \"abc\" 1 2 3 }}", "!template: :1:3: executing \"\" at <slice \"abc\" 1 2 3>: error "
                                  "calling slice: cannot 3-index slice a string"},
    {"{{ slice 3 1 }}", "!template: :1:3: executing \"\" at <slice 3 1>: error calling slice: "
                        "can't slice item of type int"},
    {"{{ len (slice .Alerts 1) }}", "1"},
    {"{{ print 1 2 \"a\" \"b\" 3 4 }}", "1 2ab3 4"},
    {"{{ println 1 \"a\" 2 }}", "1 a 2\n"},
    {"{{ print }}", ""},
    {"{{ print nil }}", "<nil>"},
    {"{{ print true 1.5 }}", "true 1.5"},
    {"{{ html \"<a b='c'>&\\\"\" }}", "&lt;a b=&#39;c&#39;&gt;&amp;&#34;"},
    {"{{ js \"it's <b> \\\"x\\\" \\n = &\" }}",
     "it\\'s \\u003Cb\\u003E \\\"x\\\" \\u000A \\u003D \\u0026"},
    {"{{ urlquery \"a b&c=d/\303\251\" }}", "a+b%26c%3Dd%2F%C3%A9"},
    {"{{ html 1 2 }}", "1 2"},
    {"{{ call 3 }}",
     "!template: :1:3: executing \"\" at <call 3>: error calling call: non-function of type int"},
    {"{{ call nil }}",
     "!template: :1:3: executing \"\" at <call nil>: error calling call: call of nil"},
    {"{{ .Foo }}",
     "!template: :1:3: executing \"\" at <.Foo>: can't evaluate field Foo in type template.Data"},
    {"{{ .Status.Foo }}",
     "!template: :1:10: executing \"\" at <.Status.Foo>: can't evaluate field Foo in type string"},
    {"{{ .CommonLabels.nope }}", ""},
    {"{{ .CommonLabels.nope.more }}",
     "!template: :1:16: executing \"\" at <.CommonLabels.nope.more>: can't evaluate field more in "
     "type string"},
    {"{{ .Alerts.Firing }}x", "[{firing alertname=Slow, gpu=0, severity=critical n=12.5, summary=a "
                              "<b> & 'c' \"d\" 2024-02-29 13:04:05.678 +0000 UTC 0001-01-01 "
                              "00:00:00 +0000 UTC http://p/graph\?a=1&b=2 00000000deadbeef}]x"},
    {"{{ len .Alerts.Firing }}", "1"},
    {"{{ len .Alerts.Resolved }}", "1"},
    {"{{ .Status 1 }}", "!template: :1:3: executing \"\" at <.Status>: Status has arguments but "
                        "cannot be invoked as function"},
    {"{{ 1 ", "!template: :1: unclosed action"},
    {" .Status }}", " .Status }}"},
    {"{{ .CommonLabels.job 1 }}", "!template: :1:16: executing \"\" at <.CommonLabels.job>: job is "
                                  "not a method but has arguments"},
    {"{{ 3 4 }}", "!template: :1:3: executing \"\" at <3>: can't give argument to non-function 3"},
    {"{{ \"a\" ", "!template: :1: unclosed action"},
    {" \"b\" }}", " \"b\" }}"},
    {"{{ nil }}", "!template: :1:3: executing \"\" at <nil>: nil is not a command"},
    {"{{ . ", "!template: :1: unclosed action"},
    {" nil }}", " nil }}"},
    {"{{ nil.Foo }}", "!template: :1: unexpected . after term \"nil\""},
    {"{{ (nil).Foo }}", "!template: :1:4: executing \"\" at <nil>: nil is not a command"},
    {"{{ 1.Foo }}", "!template: :1: bad number syntax: \"1.F\""},
    {"{{ \"a\".Foo }}", "!template: :1: unexpected . after term \"\\\"a\\\"\""},
    {"{{ true.X }}", "!template: :1: unexpected . after term \"true\""},
    {"{{ $.Status }}", "firing"},
    {"{{ $ ", "!template: :1: unclosed action"},
    {" len }}", " len }}"},
    {"{{ $x }}", "!template: :1: undefined variable \"$x\""},
    {"{{ $x := 1 }}{{ $x }}", "1"},
    {"{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "2"},
    {"{{ if .Status }}a{{ end }}", "a"},
    {"{{ if \"\" }}a{{ else }}b{{ end }}", "b"},
    {"{{ if 0 }}a{{ else if 1 }}b{{ else }}c{{ end }}", "b"},
    {"{{ if 0.0 }}a{{ else }}z{{ end }}", "z"},
    {"{{ if .Alerts }}y{{ end }}", "y"},
    {"{{ if nil }}a{{ end }}", "!template: :1:6: executing \"\" at <nil>: nil is not a command"},
    {"{{ with .Status }}{{ . }}{{ end }}", "firing"},
    {"{{ with \"\" }}a{{ else }}{{ .Status }}{{ end }}", "firing"},
    {"{{ with $x := 3 }}{{ $x }}{{ . }}{{ end }}", "33"},
    {"{{ range .Alerts }}{{ .Labels.gpu }},{{ end }}", "0,1,"},
    {"{{ range $i, $a := .Alerts }}{{ $i }}{{ $a.Status }} {{ end }}", "0firing 1resolved "},
    {"{{ range $k, $v := .CommonLabels }}{{ $k }}={{ $v }};{{ end }}", "alertname=Slow;job=api;"},
    {"{{ range .CommonLabels }}{{ . }};{{ end }}", "Slow;api;"},
    {"{{ range $a := .Alerts }}{{ $a.Status }}{{ end }}", "firingresolved"},
    {"{{ range .Alerts.Firing }}x{{ else }}none{{ end }}", "x"},
    {"{{ range .RouteX }}{{ end }}", "!template: :1:9: executing \"\" at <.RouteX>: can't evaluate "
                                     "field RouteX in type template.Data"},
    {"{{ range \"abc\" }}{{ end }}",
     "!template: :1:9: executing \"\" at <\"abc\">: range can't iterate over abc"},
    {"{{ range nil }}{{ end }}", "!template: :1:9: executing \"\" at <nil>: nil is not a command"},
    {"{{ range 3 }}{{ . }}{{ end }}", "012"},
    {"{{ range 0 }}a{{ else }}b{{ end }}", "b"},
    {"{{ range true }}{{ end }}",
     "!template: :1:9: executing \"\" at <true>: range can't iterate over true"},
    {"{{ range .Alerts }}a{{ break }}b{{ end }}", "a"},
    {"{{ range .Alerts }}a{{ continue }}b{{ end }}", "aa"},
    {"{{ break }}", "!template: :1: {{break}} outside {{range}}"},
    {"{{ continue }}", "!template: :1: {{continue}} outside {{range}}"},
    {"{{ range .Alerts }}{{ if eq .Status \"firing\" }}{{ continue }}{{ end }}{{ .Status }}{{ end "
     "}}",
     "resolved"},
    {"{{ template \"t\" 3 }}", "[3]"},
    {"{{ template \"t\" }}", "[<no value>]"},
    {"{{ template \"nope\" }}",
     "!template: :1:12: executing \"\" at <{{template \"nope\"}}>: template \"nope\" not defined"},
    {"{{ template \"list\" .Alerts }}", "<0><1>"},
    {"{{ block \"b\" . }}x{{ .Status }}{{ end }}", "xfiring"},
    {"{{ block \"t\" 1 }}q{{ end }}", "q"},
    {"{{ define \"z\" }}Z{{ end }}{{ template \"z\" }}", "Z"},
    {"{{ define \"z\" }}A{{ end }}{{ define \"z\" }}B{{ end }}",
     "!template: :1: template: multiple definition of template \"z\""},
    {"{{ template 3 }}", "!template: :1: unexpected \"3\" in template clause"},
    {"{{ template }}", "!template: :1: unexpected \"}}\" in template clause"},
    {"{{ define }}", "!template: :1: unexpected \"}}\" in define clause"},
    {"{{ define \"x\" }}", "!template: :1: unexpected EOF"},
    {"{{ end }}", "!template: :1: unexpected {{end}}"},
    {"{{ else }}", "!template: :1: unexpected {{else}}"},
    {"{{ if }}a{{ end }}", "!template: :1: missing value for if"},
    {"{{ if 1 }}", "!template: :1: unexpected EOF"},
    {"{{ range }}{{ end }}", "!template: :1: missing value for range"},
    {"{{", "!template: :1: unclosed action"},
    {"{{ }}", "!template: :1: missing value for command"},
    {"{{}}", "!template: :1: missing value for command"},
    {"{{ 1 }", "!template: :1: unexpected \"}\" in operand"},
    {"{{/* c */}}x", "x"},
    {"{{- /* c */ -}} x", "x"},
    {"{{/* c }}", "!template: :1: unclosed comment"},
    {"{{/* c */ }}", "!template: :1: comment ends before closing delimiter"},
    {"a  {{- 1 -}}  b", "a1b"},
    {"a {{ 1 -}} b", "a 1b"},
    {"{{-3}}", "-3"},
    {"{{ - 3 }}", "!template: :1: illegal number syntax: \"-\""},
    {"{{ 3 -4 }}", "!template: :1:3: executing \"\" at <3>: can't give argument to non-function 3"},
    {"{{ .A-b }}", "!template: :1: bad character U+002D '-'"},
    {"{{ .Status ", "!template: :1: unclosed action"},
    {" toUpper ", " toUpper "},
    {"{{ \"x\" ", "!template: :1: unclosed action"},
    {"{{ nofunc }}", "!template: :1: function \"nofunc\" not defined"},
    {"{{ \"unclosed }}", "!template: :1: unterminated quoted string"},
    {"{{ `raw\\n` }}", "raw\\n"},
    {"{{ `raw }}", "!template: :1: unterminated raw quoted string"},
    {"{{ 'a' }}", "97"},
    {"{{ '\\n' }}", "10"},
    {"{{ 'ab' }}", "!template: :1: malformed character constant: 'ab'"},
    {"{{ '' }}", "!template: :1: invalid syntax"},
    {"{{ 0x1F }}", "31"},
    {"{{ 0b101 }}", "5"},
    {"{{ 0o17 }}", "15"},
    {"{{ 017 }}", "15"},
    {"{{ 1_000 }}", "1000"},
    {"{{ 1e3 }}", "1000"},
    {"{{ 1.5e-7 }}", "1.5e-07"},
    {"{{ .5 }}", "0.5"},
    {"{{ 1.0 }}", "1"},
    {"{{ 1e6 }}", "1e+06"},
    {"{{ 123456789.0 }}", "1.23456789e+08"},
    {"{{ 1e21 }}", "1e+21"},
    {"{{ 0x }}", "!template: :1: illegal number syntax: \"0x\""},
    {"{{ 1x }}", "!template: :1: bad number syntax: \"1x\""},
    {"{{ 99999999999999999999 }}", "!template: :1: integer overflow: \"99999999999999999999\""},
    {"{{ 9223372036854775808 }}",
     "!template: :1:3: executing \"\" at <9223372036854775808>: 9223372036854775808 overflows int"},
    {"{{ -9223372036854775808 }}", "-9223372036854775808"},
    {"{{ -9223372036854775809 }}", "!template: :1: integer overflow: \"-9223372036854775809\""},
    {"{{ +18446744073709551615 }}", "!template: :1: integer overflow: \"+18446744073709551615\""},
    {"{{ 18446744073709551615 }}", "!template: :1:3: executing \"\" at <18446744073709551615>: "
                                   "18446744073709551615 overflows int"},
    {"{{ 18446744073709551616 }}", "!template: :1: integer overflow: \"18446744073709551616\""},
    {"{{ 9223372036854775808.0 }} {{ 1e19 }} {{ -0 }}", "9.223372036854776e+18 1e+19 0"},
    {"{{ ((index .Alerts 0).StartsAt.Add 9.21e18).Year }}", "2316"},
    {"{{ (1) }}", "1"},
    {"{{ (1 }}", "!template: :1: unclosed left paren"},
    {"{{ 1) }}", "!template: :1: unexpected \")\" in command"},
    {"{{ ((1)) }}", "1"},
    {"{{ (print 1) ", "!template: :1: unclosed action"},
    {" len }}", " len }}"},
    {"{{ $x, $y := 1 }}", "!template: :1: too many declarations in command"},
    {"{{ $x := }}", "!template: :1: missing value for command"},
    {"{{ 1 ", "!template: :1: unclosed action"},
    {" }}", " }}"},
    {"{{ ", "!template: :1: unclosed action"},
    {" 1 }}", " 1 }}"},
    {"{{ 1 ", "!template: :1: unclosed action"},
    {" 2 }}", " 2 }}"},
    {"{{ 1 + 2 }}", "!template: :1: illegal number syntax: \"+\""},
    {"{{ @ }}", "!template: :1: unexpected \"@\" in command"},
    {"{{ # }}", "!template: :1: unexpected \"#\" in command"},
    {"{{ . . }}", "!template: :1:3: executing \"\" at <.>: can't give argument to non-function ."},
    {"{{ .. }}", "!template: :1: unexpected <.> in operand"},
    {"{{ .Status . }}", "!template: :1:3: executing \"\" at <.Status>: Status has arguments but "
                        "cannot be invoked as function"},
    {"{{ $.CommonLabels.job }}", "api"},
    {"{{ with .CommonLabels }}{{ .job }}{{ $.Status }}{{ end }}", "apifiring"},
    {"{{ with $.Alerts }}{{ len . }}{{ end }}", "2"},
    {"{{ if and .Status (eq 1 1) }}ok{{ end }}", "ok"},
    {"{{ with \"\" }}a{{ else with \"x\" }}{{ . }}{{ end }}", "x"},
    {"{{ join \",\" (stringSlice \"a\" \"b\") }}", "a,b"},
    {"{{ stringSlice \"a\" \"b\" ", "!template: :1: unclosed action"},
    {" join \"-\" }}", " join \"-\" }}"},
    {"{{ join \",\" 3 }}",
     "!template: :1:12: executing \"\" at <3>: can't handle 3 for arg of type []string"},
    {"{{ join \",\" \"a\" }}",
     "!template: :1:12: executing \"\" at <\"a\">: can't handle \"a\" for arg of type []string"},
    {"{{ match \"^a.c$\" \"abc\" }}", "true"},
    {"{{ match \"(\" \"x\" }}", "!template: :1:3: executing \"\" at <match \"(\" \"x\">: error "
                                "calling match: error parsing regexp: missing closing ): `(`"},
    {"{{ reReplaceAll \"a(.)c\" \"<$1>\" \"xabcx\" }}", "x<b>x"},
    {"{{ reReplaceAll \"(\" \"\" \"x\" }}",
     "!template: :1:3: executing \"\" at <reReplaceAll \"(\" \"\" \"x\">: error calling "
     "reReplaceAll: regexp: Compile(`(`): error parsing regexp: missing closing ): `(`"},
    {"{{ toUpper \"h\303\251\303\237\" }}", "H\303\211\303\237"},
    {"{{ toLower \"\303\200B\" }}", "\303\240b"},
    {"{{ toUpper 3 }}", "!template: :1:11: executing \"\" at <3>: expected string; found 3"},
    {"{{ toUpper nil }}", "!template: :1:11: executing \"\" at <nil>: cannot assign nil to string"},
    {"{{ toUpper }}", "!template: :1:3: executing \"\" at <toUpper>: wrong number of args for "
                      "toUpper: want 1 got 0"},
    {"{{ toUpper \"a\" \"b\" }}", "!template: :1:3: executing \"\" at <toUpper>: wrong number of "
                                  "args for toUpper: want 1 got 2"},
    {"{{ title \"hello wORLD it's\" }}", "Hello World It's"},
    {"{{ title \"a-b c_d\" }}", "A-B C_d"},
    {"{{ safeHtml \"<b>\" }}", "<b>"},
    {"{{ .CommonLabels.SortedPairs.Names ", "!template: :1: unclosed action"},
    {" join \", \" }}", " join \", \" }}"},
    {"{{ .CommonLabels.Names }}", "[alertname job]"},
    {"{{ .CommonLabels.Values }}", "[Slow api]"},
    {"{{ (.CommonLabels.Remove (stringSlice \"job\")).Names }}", "[alertname]"},
    {"{{ .CommonLabels.Remove \"x\" }}",
     "!template: :1:24: executing \"\" at <\"x\">: can't handle \"x\" for arg of type []string"},
    {"{{ .CommonLabels.Remove .GroupLabels.Names ", "!template: :1: unclosed action"},
    {" len }}", " len }}"},
    {"{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}",
     "alertname=Slow job=api "},
    {"{{ .GroupLabels.SortedPairs.Values ", "!template: :1: unclosed action"},
    {" join \" \" }}", " join \" \" }}"},
    {"{{ .CommonLabels }}", "alertname=Slow, job=api"},
    {"{{ (index .Alerts 0).StartsAt }}", "2024-02-29 13:04:05.678 +0000 UTC"},
    {"{{ (index .Alerts 0).EndsAt }}", "0001-01-01 00:00:00 +0000 UTC"},
    {"{{ (index .Alerts 0).StartsAt.Format \"Mon Jan _2 15:04:05.000 MST 2006\" }}",
     "Thu Feb 29 13:04:05.678 UTC 2024"},
    {"{{ (index .Alerts 0).StartsAt.Unix }}", "1709211845"},
    {"{{ (index .Alerts 0).StartsAt.Year }}", "2024"},
    {"{{ (index .Alerts 0).StartsAt.Month }}", "February"},
    {"{{ (index .Alerts 0).StartsAt.Weekday }}", "Thursday"},
    {"{{ (index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt }}", "55m55s"},
    {"{{ ((index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt).Minutes }}",
     "55.916666666666664"},
    {"{{ (index .Alerts 0).StartsAt.Add 3600000000000 }}", "2024-02-29 14:04:05.678 +0000 UTC"},
    {"{{ (index .Alerts 0).EndsAt.IsZero }}", "true"},
    {"{{ (index .Alerts 0).StartsAt.YearDay }}", "60"},
    {"{{ (index .Alerts 0).StartsAt.Format \"2006-01-02T15:04:05Z07:00\" }}",
     "2024-02-29T13:04:05Z"},
    {"{{ (index .Alerts 0).StartsAt.Format \"3:04PM .999 06 1 2 -0700\" }}",
     "1:04PM .678 24 2 29 +0000"},
    {"{{ (index .Alerts 0).StartsAt.Format 3 }}",
     "!template: :1:37: executing \"\" at <3>: expected string; found 3"},
    {"{{ (index .Alerts 0).StartsAt.Format }}",
     "!template: :1:18: executing \"\" at <0>: wrong number of args for Format: want 1 got 0"},
    {"{{ (index .Alerts 0).StartsAt.UTC }}", "2024-02-29 13:04:05.678 +0000 UTC"},
    {"{{ (index .Alerts 0).StartsAt.AddDate 0 1 1 }}", "2024-03-30 13:04:05.678 +0000 UTC"},
    {"{{ (index .Alerts 0).Fingerprint }}", "00000000deadbeef"},
    {"{{ (index .Alerts 0).GeneratorURL }}", "http://p/graph\?a=1&b=2"},
    {"{{ .Receiver }}", "team-x"},
    {"{{ .ExternalURL }}", "http://am.example:9093"},
    {"{{ (index .Alerts 0).Nope }}",
     "!template: :1:18: executing \"\" at <0>: can't evaluate field Nope in type template.Alert"},
    {"{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}",
     "a <b> & 'c' \"d\"caf\303\251 \344\275\240\345\245\275"},
    {"{{ range .Alerts }}{{ .StartsAt.Nope }}{{ end }}",
     "!template: :1:31: executing \"\" at <.StartsAt.Nope>: can't evaluate field Nope in type "
     "time.Time"},
    {"line one\n{{ .Foo }}",
     "!template: :2:3: executing \"\" at <.Foo>: can't evaluate field Foo in type template.Data"},
    {"{{ 1 ", "!template: :1: unclosed action"},
    {"{{ .Status ", "!template: :1: unclosed action"},
    {" len ", " len "},
    {"{{ if not .Nope }}{{ end }}", "!template: :1:10: executing \"\" at <.Nope>: can't evaluate "
                                    "field Nope in type template.Data"},
    {"{{ and .Status \"x\" ", "!template: :1: unclosed action"},
    {"{{ len }}",
     "!template: :1:3: executing \"\" at <len>: wrong number of args for len: want 1 got 0"},
    {"{{ index .Alerts }}x",
     "[{firing alertname=Slow, gpu=0, severity=critical n=12.5, summary=a <b> & 'c' \"d\" "
     "2024-02-29 13:04:05.678 +0000 UTC 0001-01-01 00:00:00 +0000 UTC http://p/graph\?a=1&b=2 "
     "00000000deadbeef} {resolved alertname=Slow, gpu=1, severity=warning summary=caf\303\251 "
     "\344\275\240\345\245\275 2024-12-01 03:04:05 +0000 UTC 2024-12-01 04:00:00 +0000 UTC "
     "javascript:alert(1) 0123456789abcdef}]x"},
};

static void test_cases(void **state)
{
    (void)state;
    bench_cases(tmpl_alertmanager_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
