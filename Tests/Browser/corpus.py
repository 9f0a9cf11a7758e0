"""Texts that try to become markup, break layouts or confuse readers: 200 and more, put together from parts."""

HANDLERS = ["alert(1)", "window.watched.alerts++", "alert`1`", "top['al'+'ert'](1)", "eval(atob('YWxlcnQoMSk='))"]
TEMPLATES = [
    "<script>{h}</script>", "\"><script>{h}</script>", "'><script>{h}</script>", "</title><script>{h}</script>",
    "</textarea><script>{h}</script>", "</style><script>{h}</script>", "</svg><script>{h}</script>",
    "--><script>{h}</script>", "]]><script>{h}</script>", "<img src=x onerror={h}>", "\"><img src=x onerror=\"{h}\">",
    "<svg onload={h}>", "<svg><script>{h}</script></svg>", "<svg><animate onbegin={h} attributeName=x dur=1s>",
    "<body onload={h}>", "<iframe src=javascript:{h}>", "<iframe srcdoc=\"<script>{h}</script>\">",
    "<details open ontoggle={h}>", "<input autofocus onfocus={h}>", "<a href=javascript:{h}>x</a>",
    "javascript:{h}", "\" onmouseover=\"{h}", "' onfocus='{h}' autofocus='", "<math><mtext></mtext><mglyph><style><img src=x onerror={h}>",
    "<form action=javascript:{h}><button>x", "<object data=javascript:{h}>", "<embed src=javascript:{h}>",
    "<link rel=stylesheet href=javascript:{h}>", "<meta http-equiv=refresh content='0;url=javascript:{h}'>",
    "<base href=javascript:{h}//>", "<style>@import 'javascript:{h}'</style>", "<xss style=animation-name:x onanimationend={h}>",
    "<video><source onerror={h}>", "<marquee onstart={h}>", "{{{{constructor.constructor('{h}')()}}}}", "${{{h}}}", "`${{{h}}}`",
    "\\\";{h};//", "';{h};//", "&lt;script&gt;{h}&lt;/script&gt;", "%3Cscript%3E{h}%3C/script%3E",
]
OTHERS = [
    "\u202eevil\u202c", "\u202e\u2066txt.exe\u2069", "\u200fشكرا\u200f", "a\u0300" * 60, "Z\u0351\u0300\u0301" * 40, "\u200b\u200b\u200b",
    "line\nbreak\ttab", "\u2028\u2029", "\ufeffbom", "\U0001F469\u200d\U0001F469\u200d\U0001F467" * 8, "x" * 2000,
    "word " * 300, "&amp;&lt;&gt;&quot;&#39;", "<!--", "-->", "<![CDATA[", "\\", "\"", "'", "<", ">", "&", "{}", "..", "%", "%00", "#", "?",
    "null", "undefined", "NaN", "__proto__", "constructor", "toString",
]
TEXTS = [template.format(h=handler) for handler in HANDLERS for template in TEMPLATES] + OTHERS


def quoted(text):
    """As a label value of the text format."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def help_text(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n")
