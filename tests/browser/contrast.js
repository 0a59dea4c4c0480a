/** Every text that is seen on the page, and its contrast with what is painted behind it (WCAG 2.2); what is disabled is
 * left out, as there. Gives {count, worst, bad}: of the bad ones text, contrast and element. */
() => {
  const parse = (css) => { const c = document.createElement("canvas").getContext("2d", {willReadFrequently: true}); c.canvas.width = c.canvas.height = 1; c.clearRect(0,0,1,1); c.fillStyle = css; c.fillRect(0,0,1,1); const d = c.getImageData(0,0,1,1).data; return [d[0],d[1],d[2],d[3]/255]; };
  const over = (top, below) => top.slice(0,3).map((v,i)=> v*top[3] + below[i]*(1-top[3]));
  const lum = (rgb) => { const [r,g,b]=rgb.map(v=>{v/=255; return v<=.03928? v/12.92 : ((v+.055)/1.055)**2.4}); return .2126*r+.7152*g+.0722*b; };
  const up = (e) => e.parentElement ?? (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  const bad = [];
  let worst = 99, count = 0;
  const visit = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      if (n.nodeType === 1) { if (n.shadowRoot) visit(n.shadowRoot); continue; }
      const text = n.textContent.trim(), e = n.parentElement;
      if (!text || !e || !/[\p{L}\p{N}]/u.test(text) || ["STYLE","SCRIPT","OPTION","ANNOTATION"].includes(e.tagName.toUpperCase())) continue;
      if (e.closest(".katex-mathml, .ltv-overlay, [disabled], [aria-disabled=true], .lle-told, [role=tooltip]")) continue;
      const r = document.createRange(); r.selectNodeContents(n);
      const box = r.getBoundingClientRect();
      if (box.width < 2 || box.height < 2 || !e.checkVisibility({opacityProperty:true, visibilityProperty:true})) continue;
      let opacity = 1, back = [255,255,255], layers = [];
      for (let a = e; a; a = up(a)) { const s = getComputedStyle(a); opacity *= Number(s.opacity); layers.push(parse(s.backgroundColor)); if (layers.at(-1)[3] >= 1) break; }
      for (const l of layers.reverse()) back = over(l, back);
      const s = getComputedStyle(e), ink = parse(e instanceof SVGElement ? s.fill : s.color);
      const front = over([...ink.slice(0,3), ink[3]*opacity], back);
      const [x,y] = [lum(front), lum(back)].sort((p,q)=>q-p), c = (x+.05)/(y+.05);
      count++; worst = Math.min(worst, c);
      if (c < 4.5) bad.push([text.slice(0,40), Number(c.toFixed(2)), e.tagName + "." + e.className?.toString().slice(0,40)]);
    }
  };
  visit(document.querySelector("[data-testid=stMain]"));
  return {count, worst: Number(worst.toFixed(2)), bad};
}
