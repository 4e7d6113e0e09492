"""The key as a server may echo it: as it is, and in encodings."""

import base64
import codecs
import hashlib
import zlib
from urllib.parse import quote as percent

from support.clients import KEY

FORMS = {
    "plain": KEY,
    "in capitals": KEY.upper(),
    "percent-encoded": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "percent-encoded twice": percent("".join(f"%{byte:02X}" for byte in KEY.encode())),
    "HTML": "".join(f"&#{ord(letter)};" for letter in KEY),
    "HTML, hexadecimal": "".join(f"&#x{ord(letter):x};" for letter in KEY),
    "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, shifted": base64.b64encode(b"x" + KEY.encode() + b"yz").decode(),
    "base64, shifted by two": base64.b64encode(b"xy" + KEY.encode()).decode(),
    "URL-safe base64": base64.urlsafe_b64encode(b"Bearer " + KEY.encode()).decode(),
    "hex": KEY.encode().hex(),
    "reversed": KEY[::-1],
    "with blanks": " ".join(KEY),
    "split": KEY[:9] + "\n" + KEY[9:],
    "octal escapes": "".join(f"\\{ord(letter):03o}" for letter in KEY),
    "CSS escapes": "".join(f"\\{ord(letter):x} " for letter in KEY),
    "JavaScript escapes": "".join(f"\\u{{{ord(letter):x}}}" for letter in KEY),
    "quoted-printable": "".join(f"={ord(letter):02X}" for letter in KEY),
    "numbers": ", ".join(str(ord(letter)) for letter in KEY),
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in KEY),
    "rot13": codecs.encode(KEY, "rot13"),
    "base32": base64.b32encode(b"Bearer " + KEY.encode()).decode(),
}
# More of them, which nobody has to recognise in a text that is kept: a message holds nothing of them either.
MORE_FORMS = {
    "base85": base64.b85encode(KEY.encode()).decode(),
    "ascii85": base64.a85encode(KEY.encode()).decode(),
    "base64 twice": base64.b64encode(base64.b64encode(KEY.encode())).decode(),
    "base64, reversed": base64.b64encode(KEY.encode()).decode()[::-1],
    "base16 in capitals": KEY.encode().hex().upper(),
    "hex with colons": KEY.encode().hex(":"),
    "hex with blanks": KEY.encode().hex(" "),
    "hex in letters": KEY.encode().hex().translate(str.maketrans("0123456789", "ghijklmnop")),
    "0x": " ".join(f"0x{byte:02x}" for byte in KEY.encode()),
    "binary": " ".join(f"{byte:08b}" for byte in KEY.encode()),
    "numbers with points": ".".join(str(byte) for byte in KEY.encode()),
    "numbers, one a line": "\n".join(str(byte) for byte in KEY.encode()),
    "a Python list": repr(list(KEY.encode())),
    "Caesar": KEY.lower().translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "fghijklmnopqrstuvwxyzabcde")),
    "Atbash": KEY.lower().translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")),
    "compressed": base64.b64encode(zlib.compress(KEY.encode())).decode(),
    "exclusive or": bytes(byte ^ 0x5A for byte in KEY.encode()).hex(),
    "uuencoded": codecs.encode(KEY.encode(), "uu").decode().splitlines()[1],
    "punycode": f"ü{KEY}".encode("punycode").decode(),
    "UTF-7": codecs.encode(f"ü{KEY}", "utf-7").decode(),
    "UTF-16, base64": base64.b64encode(KEY.encode("utf-16")).decode(),
    "bold mathematical letters": "".join(
        chr(ord(letter) + (0x1D3BF if letter.isupper() else 0x1D3B9)) if letter.isalpha() else letter for letter in KEY
    ),
    "combining marks": "".join(f"{letter}\u0301" for letter in KEY),
    "soft hyphens": "\u00ad".join(KEY),
    "no-width blanks": "\u200b".join(KEY),
    "masked": f"{KEY[:8]}****{KEY[-6:]}",
    "a digest": hashlib.sha256(KEY.encode()).hexdigest(),
    "HTML without semicolons": "".join(f"&#{ord(letter)}" for letter in KEY),
    "percent-encoded in part": KEY.replace("-", "%2D"),
    "JSON escapes in part": KEY.replace("-", "\\u002d"),
}
