//! How the page looks: light, dark and on paper. It allows itself nothing: no script, no picture, no request.

/// Everything up to the body's first element. `title` is escaped.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the verdicts</a>\n"
    )
}

const STYLE: &str = "\
:root{--back:#fff;--text:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f6f8fa;--bad:#b3261e;--good:#116329;--open:#7a5200;--mark:#0550ae}
@media (prefers-color-scheme:dark){:root{--back:#0f1318;--text:#e6edf3;--dim:#9da7b1;--line:#3d444d;--soft:#171c23;--bad:#ff8a80;--good:#6fdd8b;--open:#f0c04c;--mark:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:78rem;padding:1rem;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:1rem 0 .2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;font-size:.9rem}th,td{border:1px solid var(--line);padding:.2rem .5rem;text-align:left;vertical-align:top}
thead th{background:var(--soft)}.wide{overflow-x:auto}
.violated{color:var(--bad);font-weight:600}.open{color:var(--open)}.held{color:var(--good)}.dim{color:var(--dim)}
details{border:1px solid var(--line);border-radius:4px;margin:.25rem 0;padding:.15rem .6rem}
summary{cursor:pointer;overflow-wrap:anywhere}
a{color:var(--mark)}a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
pre{background:var(--soft);border:1px solid var(--line);padding:.4rem .6rem;margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.45 ui-monospace,monospace}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:.2rem 1rem}
.list details{content-visibility:auto;contain-intrinsic-size:auto 2rem}
svg{max-width:100%;height:auto;background:var(--soft);border:1px solid var(--line)}
svg text{fill:var(--text);font:11px system-ui,sans-serif}svg .dim{fill:var(--dim)}svg .grid{stroke:var(--line)}
svg .request{fill:var(--mark)}svg .miss{fill:var(--open)}svg .fault{fill:var(--bad)}svg .state{fill:var(--line)}svg .done{fill:var(--good);fill-opacity:.35}svg .down{fill:var(--bad);fill-opacity:.35}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
@media print{:root{--back:#fff;--text:#000;--soft:#fff}body{max-width:none;font-size:10pt}details{break-inside:avoid}.skip{display:none}}
";
