"""Golden values of tokenizers: what Hugging Face's tokenizers (Rust) make of texts, by family and variant.

Makes test/golden/tokenizers.json: pip install tokenizers==0.23.2; python3 test/golden/tokenizer_files.py
The vocabularies are learned here, small ones of a few sentences. Special tokens in texts are encoded as text.
"""

import copy
import json
import os

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

SENTENCES = [
    "The old goat walked under the moon and the river was cold.",
    "the miller's daughter didn't know where the goats were, or 1,234 of them!",
    "Naïve cafés are open; façades fall. It's 12.50 on 2024-05-01...",
    "under the old bridge the moon is cold and the goat is old",
]


def learned(tokenizer, trainer):
    tokenizer.train_from_iterator(SENTENCES * 20, trainer)
    return json.loads(tokenizer.to_str())


def special(content, id, **options):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **options}


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return learned(tokenizer, trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False))


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return learned(tokenizer, trainers.WordPieceTrainer(vocab_size=120, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return learned(tokenizer, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))


def llama():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    file = learned(tokenizer, trainers.BpeTrainer(vocab_size=420, special_tokens=["<unk>", "<s>", "</s>", *byte_tokens], show_progress=False))
    file["added_tokens"] = file["added_tokens"][:3]
    return file


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
JOINED = {**BYTES, "use_regex": False}
LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
PREPENDED = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
BYTES_BACK = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]


def split(behavior, pattern):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def both(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def bert(**options):
    return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True, **options}


def metaspace(scheme, cut=True):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}


FAMILIES = {
    "byte-level BPE": (byte_level(), {
        "GPT-2": {"pre_tokenizer": BYTES},
        "RoBERTa, with a first space": {"pre_tokenizer": {**BYTES, "add_prefix_space": True}},
        "Llama 3": {"pre_tokenizer": both(split("Isolated", {"Regex": LLAMA3}), JOINED)},
        "Qwen 2, with NFC": {"normalizer": {"type": "NFC"}, "pre_tokenizer": both(split("Isolated", {"Regex": LLAMA3}), JOINED)},
        "digits alone": {"pre_tokenizer": both({"type": "Digits", "individual_digits": True}, BYTES)},
        "digits together": {"pre_tokenizer": both({"type": "Digits", "individual_digits": False}, JOINED)},
        "punctuation alone": {"pre_tokenizer": both({"type": "Punctuation", "behavior": "Isolated"}, JOINED)},
        "punctuation together": {"pre_tokenizer": both({"type": "Punctuation", "behavior": "Contiguous"}, JOINED)},
        "merged with previous": {"pre_tokenizer": both(split("MergedWithPrevious", {"String": " "}), JOINED)},
        "merged with next": {"pre_tokenizer": both(split("MergedWithNext", {"String": " "}), JOINED)},
        "lower case without accents": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}, "pre_tokenizer": BYTES},
        "stripped": {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}, "pre_tokenizer": BYTES},
        "words added": {"pre_tokenizer": BYTES, "added_tokens": [special("<|endoftext|>", 0), special("<think>", 330, special=False), special("goat", 331, special=False, lstrip=True, rstrip=True)]},
    }),
    "WordPiece": (word_piece(), {
        "BERT": {"normalizer": bert(), "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}},
        "BERT with case": {"normalizer": bert(lowercase=False), "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}},
        "words and signs": {"pre_tokenizer": {"type": "Whitespace"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}},
    }),
    "Unigram": (unigram(), {
        "with NFKC": {"normalizer": {"type": "NFKC"}, "decoder": metaspace("always")},
        "whole": {"pre_tokenizer": metaspace("always", False), "decoder": metaspace("always")},
        "no first space": {"pre_tokenizer": metaspace("never"), "decoder": metaspace("never")},
        "words alone": {"pre_tokenizer": both({"type": "WhitespaceSplit"}, metaspace("always")), "decoder": metaspace("always")},
    }),
    "BPE of SentencePiece": (llama(), {
        "Llama 2": {"normalizer": PREPENDED, "pre_tokenizer": None, "decoder": {"type": "Sequence", "decoders": [*BYTES_BACK, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}},
        "Mistral": {"pre_tokenizer": metaspace("first", False), "decoder": {"type": "Sequence", "decoders": [*BYTES_BACK, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}},
        "Gemma": {"normalizer": PREPENDED["normalizers"][1], "pre_tokenizer": split("MergedWithPrevious", {"String": " "}), "decoder": {"type": "Sequence", "decoders": BYTES_BACK}},
    }),
}

TEXTS = [
    "The old goat walked under the moon.",
    "  two  spaces\n\n\nlines\r\nand\ttabs ",
    "naïve café Ünïcödé ΑΣ ΣΑΣ İstanbul ß ǅ",
    "12345 1,234.50 ½ ² ٣ a1b2",
    "<|endoftext|> [SEP] [UNK] <s> x",
    "<think> the old goat (goat)goat",
    "中文字符 日本語 한국어 😀👩‍👩‍👧 𠀀x",
    "a\ufeffb\u0085c\u00a0d\u2028e\u3000f",
    "e\u0301 \ufb01 ﷺ Å",
    "it's 'S don't WE'RE it 's n't hello , world !",
    "▁a ▁▁b _c",
    " leading",
    " ",
    "\n",
    "",
    "\u0000\u0001\u007f\u200b\u00ad",
    "...!!!???--__##@@",
]

out = {}
for family, (base, variants) in FAMILIES.items():
    base = {**base, "truncation": None, "padding": None, "post_processor": None}
    if family == "byte-level BPE":
        base["decoder"] = BYTES
    found = {}
    for name, parts in variants.items():
        tokenizer = Tokenizer.from_str(json.dumps({**copy.deepcopy(base), **parts}))
        tokenizer.encode_special_tokens = True
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
        found[name] = {"parts": parts, "ids": ids, "decoded": [tokenizer.decode(one, skip_special_tokens=False) for one in ids]}
    out[family] = {"file": base, "variants": found}

path = os.path.join(os.path.dirname(__file__), "tokenizers.json")
with open(path, "w", encoding="utf-8") as file:
    origin = {"library": "tokenizers", "version": tokenizers.__version__, "script": "test/golden/tokenizer_files.py"}
    json.dump({"origin": origin, "texts": TEXTS, "results": out}, file, ensure_ascii=True, separators=(",", ":"))
    file.write("\n")
