"""What is other than in vcrpy, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROXY = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
TRUST = ("FAULTDECK_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")

SECRETS = "secrets are taken out by themselves, wherever they stand; more is named in a redact.toml beside the cassette"
MATCH = (
    "a request is the recorded one if method, path, parameters and body are, in any spelling; what does not count stands in "
    "NAME.match.toml beside the cassette (ignore, normalise, headers)"
)
HOOK = "a cassette is what was recorded; answers are changed by a scenario's faults, not by a function"

OTHERWISE = {
    "match_on": MATCH,
    "filter_headers": SECRETS,
    "filter_query_parameters": SECRETS,
    "filter_post_data_parameters": SECRETS,
    "before_record_request": SECRETS,
    "before_record_response": SECRETS,
    "before_playback": HOOK,
    "custom_patches": "nothing is patched: requests go through the variables of a proxy, and any client and language can be tested",
    "ignore_hosts": "a host that is to be asked in earnest goes into NO_PROXY: env={\"NO_PROXY\": \"127.0.0.1,hooks.example\"}",
    "ignore_localhost": "loopback is never answered by the replay; it is in NO_PROXY",
    "serializer": "cassettes are JSON that people can read",
    "persister": "cassettes are files",
    "path_transformer": "a name is a file below cassettes/, with .json behind it",
    "func_path_generator": "give each test its cassette by name",
    "cassette_library_dir": "cassettes are below cassettes/; a name that ends in .json is a path",
    "inject_cassette": "the context manager hands out the cassette: with use_cassette(...) as cassette",
    "record_on_exception": "what was answered is recorded, whatever happens afterwards",
    "decode_compressed_response": "plain answers are asked for when recording",
    "drop_unused_requests": "cassettes are never changed by a replay",
    "allow_playback_repeats": (
        "reads can be repeated as often as you like, and polls go on as the task did; a write is answered once, unless a scenario "
        "says writes = \"last\" or \"repeat\""
    ),
}


def refuse(words: Mapping[str, Any]) -> None:
    """Names what vcrpy takes and what there is in its place.

    :raises ValueError: if there is any in `words`.
    """
    found = [f"  {word}: {OTHERWISE[word]}" for word in words if word in OTHERWISE]
    if found:
        raise ValueError("otherwise than in vcrpy:\n" + "\n".join(found))


def mode(value: object) -> str:
    """A record mode by its name; vcrpy's own enum is taken, too.

    :raises ValueError: if there is none such.
    """
    word = str(getattr(value, "value", value))
    if word == "new_episodes":
        raise ValueError(
            "otherwise than in vcrpy:\n  record_mode=\"new_episodes\": a cassette is recorded whole, not added to; use \"all\""
        )
    if word not in ("once", "none", "all"):
        raise ValueError(f"record_mode is `once`, `none` or `all`, not `{word}`")
    return word


def cassette(name: str) -> str:
    """A name of a cassette.

    :raises ValueError: if it is one of vcrpy's own files.
    """
    if name.endswith((".yaml", ".yml")):
        raise ValueError(
            f"otherwise than in vcrpy:\n  `{name}`: cassettes are JSON, and vcrpy's are not read; record it anew as "
            f"`{name.rsplit('.', 1)[0]}` (record_mode=\"once\", upstream=...)"
        )
    return name
