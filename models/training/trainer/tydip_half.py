"""Which half of TyDiP's requests teaches; tests/eval measures on the other."""
import hashlib


def is_learned(text):
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0
