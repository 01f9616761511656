import { describe, expect, test } from "vitest";
import { render } from "./fake-scope.ts";

/** Source: "VTL Reference" and "User Guide" of Apache Velocity 1.7. */
describe("references", () => {
  test.each([
    ["$a", "1"],
    ["${a}b", "1b"],
    ["$!a", "1"],
    ["$!{a}", "1"],
    ["$a.", "1."],
    ["$a,$a", "1,1"],
    ["[$missing][$!missing][${missing}]", "[][][]"],
    ["$missing.member.method()", ""],
    ["$5.00 and $", "$5.00 and $"],
    ["$map.k $map['k'] $map.get('k') $map[\"k\"]", "v v v v"],
    ["$map.constructor$map.__proto__$map.toString", ""],
    ["$list[1] $list.get(0) $list[9]", "y x "],
    ["\\$a \\\\$a \\b", "$a \\1 \\b"],
    ["$a-b", ""],
  ])("%s prints %j", (template, printed) => {
    expect(render(`#set($a = 1)#set($map = {"k": "v"})#set($list = ["x", "y"])${template}`)).toBe(printed);
  });
});

describe("directives", () => {
  test.each([
    ["#if(true)a#end", "a"],
    ["#if($no)a#{else}b#end", "b"],
    ["#if($no)a#elseif(1 == 1)b#else c#end", "b"],
    ["#if('')a#end#if(0)b#end", "ab"],
    ["#foreach($x in [1..3])$x#if($foreach.hasNext),#end#end", "1,2,3"],
    ["#foreach($x in [3..1])$foreach.index:$x #end", "0:3 1:2 2:1 "],
    [
      "#foreach($x in ['a','b'])$velocityCount$foreach.count$foreach.first$foreach.last #end",
      "11truefalse 22falsetrue ",
    ],
    ["#foreach($x in {'k':'v','l':'w'})$x#end", "vw"],
    ["#set($m = {'k':'v'})#foreach($e in $m.entrySet())$e.key=$e.value#end", "k=v"],
    ["#foreach($x in [1..5])#if($x == 3)#break#end$x#end.", "12."],
    ["#foreach($x in [1..2])#foreach($y in [1..2])$foreach.parent.index$y #end#end", "01 02 11 12 "],
    ["#set($x = 'o')#foreach($x in [1])$x#end$x", "1o"],
    ["#foreach($x in 'text')$x#end", ""],
    ["a#stop b", "a"],
    ["#define($d)<$x>#end#set($x = 1)$d#set($x = 2)$d", "<1><2>"],
    ["#macro(twice $t)$t$t#end#twice('a')#twice(1)", "aa11"],
    ["#foo #foo('a') #1", "#foo #foo('a') #1"],
    ["a## comment\nb#* c\nd *#e#[[$f #if]]#", "abe$f #if"],
    ["#set($x = $missing)[$x]", "[]"],
    ["#set($x = 1)#set($x = $missing)$x", "1"],
    ["#set($m = {})#set($m.a = 1)#set($m['b'] = 2)$m", "{a=1, b=2}"],
    ["#set($l = [1, 2])#set($l[0] = 9)$l", "[9, 2]"],
    ['#set($s = "$x.y and ${z}")#set($z = 1)$s', " and "],
    ["#set($z = 1)#set($s = \"<${z}>#if($z == 1)!#end\")$s '$z'", "<1>! '1'"],
    ["#set($s = '$z')$s", "$z"],
    ['#set($s = "say ""hi""")$s', 'say "hi"'],
  ])("%s prints %j", (template, printed) => {
    expect(render(template)).toBe(printed);
  });

  test("take the spaces and the line end after them along, and #set those before it", () => {
    expect(render("a\n  #set($x = 1)\nb\n  #if($x)\n  c\n  #end\nd")).toBe("a\nb\n    c\n  d");
  });
});

describe("expressions", () => {
  test.each([
    ["1 + 2 * 3", "7"],
    ["(1 + 2) * 3", "9"],
    ["7 / 2", "3"],
    ["7 % 3", "1"],
    ["7.0 / 2", "3.5"],
    ["-3 + 1", "-2"],
    ["1 / 0", ""],
    ["2.0", "2.0"],
    ["1.0E7 * 10", "1.0E8"],
    ["9007199254740993 + 1", "9007199254740994"],
    ["'a' + 1", "a1"],
    ["1 == 1.0", "true"],
    ["'1' == 1", "true"],
    ["'a' == 'b'", "false"],
    ["1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2", "true"],
    ["1 lt 2 and 2 ne 3 or false", "true"],
    ["!true || not false", "true"],
    ["$missing == $gone", "true"],
    ["$missing == ''", "false"],
    ["[1, 'a', [true]]", "[1, a, [true]]"],
    ["{'a': {'b': 1}}", "{a={b=1}}"],
  ])("%s is %j", (expression, printed) => {
    expect(render(`#set($r = ${expression})$!r`)).toBe(printed);
  });
});

describe("methods of Java", () => {
  test.each([
    ["'Hello'.length()", "5"],
    ["'Hello'.substring(1, 3)", "el"],
    ["'Hello'.indexOf('l')", "2"],
    ["'Hello'.toUpperCase()", "HELLO"],
    ["' a '.trim()", "a"],
    ["'a.b'.replace('.', '-')", "a-b"],
    ["'a1b22'.replaceAll('[0-9]+', '<$0>')", "a<1>b<22>"],
    ["'a,b,,'.split(',').size()", "2"],
    ["'a,b,c'.split(',', 2)", "[a, b,c]"],
    ["'abc'.matches('[a-c]+')", "true"],
    ["'abc'.contains('b')", "true"],
    ["'a'.equals('a')", "true"],
    ["'1'.equals(1)", "false"],
    ["'a'.equalsIgnoreCase('A')", "true"],
    ["'b'.compareTo('a')", "1"],
    ["'abc'.startsWith('ab')", "true"],
    ["'ab'.concat('c')", "abc"],
    ["''.isEmpty()", "true"],
    ["'abc'.hashCode()", "96354"],
    ["'abc'.charAt(1)", "b"],
    ["'a'.getClass().getName()", ""],
    ["'a'.constructor", ""],
    ["[1, 2].size()", "2"],
    ["[1, 2].contains(2)", "true"],
    ["['a', 'b'].indexOf('b')", "1"],
    ["[1, 2, 3].subList(1, 3)", "[2, 3]"],
    ["[].isEmpty()", "true"],
    ["{'a': 1}.containsKey('a')", "true"],
    ["{'a': 1}.keySet()", "[a]"],
    ["{'a': 1}.values()", "[1]"],
    ["{'a': 1}.entrySet()", "[a=1]"],
    ["{'a': 1}.getOrDefault('b', 2)", "2"],
    ["{'a': 1}.size()", "1"],
    ["0.parseInt('12')", "12"],
    ["1.5.intValue()", "1"],
    ["true.toString()", "true"],
  ])("%s is %j", (expression, printed) => {
    const [, receiver = "", call = ""] = /^(.*?)(\.[a-z]\w*(?:\(.*)?)$/is.exec(expression) ?? [];
    expect(render(`#set($it = ${receiver})#set($r = $it${call})$!r`)).toBe(printed);
  });

  test("change lists and maps in place", () => {
    expect(render("#set($l = [1])#set($x = $l.add(2))$x $l.remove(0) $l")).toBe("true 1 [2]");
    expect(render("#set($m = {})$!m.put('a', 1)$m.put('a', 2) $m $m.remove('a') $m")).toBe("1 {a=2} 2 {}");
  });
});

describe("templates that cannot be rendered", () => {
  test.each([
    ["#if(true)", /#if is not ended/],
    ["#end", /#end stands alone/],
    ["#set($x = )", /an expression is expected/],
    ["#set(x = 1)", /#set needs a reference/],
    ["#foreach($x of [1])#end", /in is expected/],
    ["${x", /} is expected/],
    ["$x.y(", /an expression is expected/],
    ["#* never", /a comment is not ended/],
    ["#if($x == null)a#end", /null is no expression/],
    ["#include('f')", /not available/],
    ["#parse('f')", /not available/],
    ["#evaluate('$x')", /not available/],
    ["#@m()a#end", /not built/],
    ["#set($s = 'abc')$s.substring(9)", /out of range/],
    ["#set($l = [])$l.get(0)", /Index: 0, Size: 0/],
    ["#set($n = 0)$n.parseInt('x')", /not a whole number/],
    ["$util.parseJson('{')", /parseJson/],
    ["$util.urlDecode('%')", /urlDecode/],
    ["$util.toJson('a')", /does not exist/],
    ["$input.paths('a')", /does not exist/],
    ["#set($context.stage = 'x')", /cannot be set/],
    ["#set($context.requestOverride.body = 'x')", /cannot be set/],
    ["#set($x = 'a')$x.matches('(')", /malformed/],
  ])("%s", (template, reason) => {
    expect(() => render(template)).toThrow(reason);
  });

  test("the client's payload is told apart: it is no JSON", () => {
    expect(() => render("$input.path('$.a')", "<a/>")).toThrow(expect.objectContaining({ name: "PayloadError" }));
    expect(() => render("$input.json('$')", '{"a":1')).toThrow(/Unexpected end-of-input/);
    expect(render("$input.body", "<a/>")).toBe("<a/>");
  });
});
