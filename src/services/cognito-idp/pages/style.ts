/** The pages' own style. Contrast of text is at least 4.5:1 (WCAG 2.2, AA), focus is always seen. */
export const style = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #16191f; }
.background-customizable { min-height: 100vh; background: #f3f4f7; padding: 2rem 1rem; }
main { max-width: 26rem; margin: 0 auto; background: #fff; border: 1px solid #c6cad2; border-radius: .5rem; overflow: hidden; }
.banner-customizable { padding: 1.25rem; background: #e8ebf2; text-align: center; min-height: 1.25rem; }
.logo-customizable { max-width: 100%; max-height: 6rem; }
.content { padding: 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: 0 0 1rem; }
label, .label-customizable { display: block; font-weight: 600; margin-bottom: .25rem; }
.hint { font-weight: 400; color: #4d5562; }
input[type=text], input[type=password], input[type=email], input[type=tel] {
  width: 100%; padding: .6rem .7rem; margin-bottom: 1rem; font: inherit; border: 1px solid #6b7280; border-radius: .3rem; }
input[aria-invalid=true] { border-color: #b3261e; }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; border: 1px solid transparent; border-radius: .3rem; cursor: pointer; }
.submitButton-customizable { background: #1f4fb2; color: #fff; }
.submitButton-customizable:hover { background: #173d8b; }
.idpButton-customizable { background: #fff; color: #16191f; border-color: #6b7280; margin-bottom: .6rem; }
.plain { background: none; color: #1f4fb2; width: auto; padding: .25rem 0; text-decoration: underline; }
a { color: #1f4fb2; }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid #f0a000; outline-offset: 2px; }
.errorMessage-customizable { margin: 0 0 1rem; padding: .6rem .8rem; border: 1px solid #b3261e; border-radius: .3rem; color: #8c1d18; background: #fdeceb; }
.note { margin: 0 0 1rem; padding: .6rem .8rem; border: 1px solid #1b6b3a; border-radius: .3rem; color: #14532d; background: #ecf8f0; }
.choice { display: block; margin-bottom: .6rem; font-weight: 400; }
.divider { text-align: center; color: #4d5562; margin: 1rem 0; }
.qr { display: block; margin: 0 auto 1rem; width: 12rem; height: 12rem; }
code { word-break: break-all; font-size: .95rem; }
ul.rules { margin: 0 0 1rem; padding-left: 1.2rem; color: #4d5562; font-size: .9rem; }
`;
