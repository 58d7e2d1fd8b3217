"""What the languages are called that can be told apart, and which are too near to each other."""

from __future__ import annotations

from typing import Final

NO_LANGUAGE: Final = "zxx"
"""ISO 639 for what has no linguistic content."""

FAMILIES: Final = {
    "zh": ("zh", "wuu", "yue"),
    "ar": ("ar", "ary", "arz"),
    "no": ("no", "nn"),
    "hbs": ("bs", "hr", "sr"),
    "msa": ("ms", "id"),
    "el": ("el", "grc"),
    "he": ("he", "hbo"),
    "en": ("en", "pcm"),
    "uz": ("uz", "uzs"),
    "ku": ("ku", "sdh"),
    "lv": ("lv", "ltg"),
}
"""Near ones that a short passage leaves open, and the code that they share.

ISO 639 has most as macrolanguages; ancient Greek and Hebrew are with the modern ones, and Nigerian
Pidgin with English.
"""
OPEN_FAMILIES: Final = frozenset(code for code, codes in FAMILIES.items() if code not in codes)
"""Codes that name several languages and leave open which."""

UNSPACED: Final = frozenset({"zh", "wuu", "yue", "ja", "th", "lo", "km", "my", "dz"})
"""Written without spaces between words."""

_NAMES: Final = """
ace Acehnese; af Afrikaans; am Amharic; an Aragonese; ar Arabic; ary Moroccan Arabic;
arz Egyptian Arabic; as Assamese; az Azerbaijani; ba Bashkir; bcl Central Bikol; be Belarusian;
bg Bulgarian; bn Bengali; br Breton; bs Bosnian; ca Catalan; crh Crimean Tatar; cs Czech; cy Welsh;
da Danish; de German; dz Dzongkha; el Greek; en English; eo Esperanto; es Spanish; et Estonian;
eu Basque; ext Extremaduran; fa Persian; fi Finnish; fo Faroese; fr French; fuv Nigerian Fulfulde;
fy Western Frisian; ga Irish; gcf Guadeloupean Creole; gcr Guianese Creole; gd Scottish Gaelic;
gl Galician; gom Goan Konkani; grc Ancient Greek; gu Gujarati; gug Guarani; guw Gun; ha Hausa;
hbo Ancient Hebrew; hbs Bosnian, Croatian or Serbian; he Hebrew; hi Hindi; hr Croatian;
ht Haitian Creole; hu Hungarian; hy Armenian; id Indonesian; ig Igbo; is Icelandic; it Italian;
ja Japanese; jv Javanese; ka Georgian; kab Kabyle; kik Kikuyu; kk Kazakh; km Khmer; kn Kannada;
ko Korean; ku Kurdish; ky Kyrgyz; la Latin (language); lb Luxembourgish; lg Ganda; lij Ligurian;
ln Lingala; lo Lao; lt Lithuanian; ltg Latgalian; lv Latvian; mg Malagasy; mk Macedonian;
ml Malayalam; mn Mongolian; mr Marathi; ms Malay; msa Malay or Indonesian; mt Maltese; my Burmese;
ne Nepali; nl Dutch; nn Norwegian Nynorsk; no Norwegian; nso Northern Sotho; oc Occitan; om Oromo;
or Odia; pa Punjabi; pcm Nigerian Pidgin; pl Polish; ps Pashto; pt Portuguese; qu Quechua;
ro Romanian; ru Russian; rw Kinyarwanda; sa Sanskrit; sdh Southern Kurdish; se Northern Sami;
si Sinhala; sk Slovak; sl Slovenian; sn Shona; so Somali; sq Albanian; sr Serbian;
st Southern Sotho; sv Swedish; sw Swahili; ta Tamil; te Telugu; tg Tajik; th Thai; tk Turkmen;
tl Tagalog; tr Turkish; tt Tatar; ug Uyghur; uk Ukrainian; ur Urdu; uz Uzbek; uzs Southern Uzbek;
vec Venetian; vi Vietnamese; vo Volapük; wa Walloon; wuu Wu Chinese; xh Xhosa; yo Yoruba;
yue Cantonese; zh Chinese; zu Zulu
"""
NAMES: Final[dict[str, str]] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.split(";"))
}
