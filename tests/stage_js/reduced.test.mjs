/** What a link takes away: what an address says of it, and what a hostile one ends in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Reduced, reducedLink } from "../../app/stage/common/reduced.js";

test("an address names what is hidden and what is fixed", () => {
  const reduced = new Reduced("?runs=a&hide=search,layer.caps&fix=lab.temperature,time");
  assert.deepEqual([...reduced.hidden], ["search", "layer.caps"]);
  assert.deepEqual([...reduced.fixed], ["lab.temperature", "time"]);
  assert.ok(reduced.any && reduced.holds("search") && reduced.holds("time") && !reduced.holds("view"));
  assert.ok(!new Reduced("?runs=a").any);
});

test("what is no name, or nothing here, is left out and said, a few words of it", () => {
  const hostile =
    '?hide=search,<img src=x>,__proto__,layer.__proto__,a.b.c,"],layer.&fix=constructor,%00,' + "x".repeat(9999);
  const reduced = new Reduced(hostile);
  assert.deepEqual([...reduced.hidden], ["search", "layer.__proto__", "a.b.c"]);
  assert.deepEqual([...reduced.fixed], ["constructor"]);
  const said = reduced.unknown(["search", "view"]);
  assert.ok(said.startsWith("layer.__proto__, a.b.c, constructor, <img src=x>, __proto__") && said.endsWith(", …"));
  assert.ok(said.length < 300);
  const many = new Reduced(`?hide=${Array.from({ length: 5000 }, (_, i) => `layer.x${i}`)}`);
  assert.equal(many.hidden.size, 100);
  assert.equal(new Reduced("?hide=search").unknown(["search"]), "");
});

test("a link is made of what is ticked, and keeps all else of the address", () => {
  const link = reducedLink("http://x/geometry?losses=ce,bcl&hide=view", ["lab.rate", "layer.caps"], []);
  assert.equal(link, "http://x/geometry?losses=ce,bcl&hide=lab.rate,layer.caps");
  assert.equal(reducedLink(link, [], ["turn"]), "http://x/geometry?losses=ce,bcl&fix=turn");
  const read = new Reduced(new URL(link).search);
  assert.deepEqual([...read.hidden], ["lab.rate", "layer.caps"]);
});
