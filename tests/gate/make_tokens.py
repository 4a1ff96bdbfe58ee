#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tokens.h: keys, and tokens that other programs have signed with them
(PyJWT, jwcrypto, Node's crypto, the openssl tool), for test_jwt.c and its
neighbours. The keys are made anew by each run and are worth nothing."""
import base64
import datetime
import json
import subprocess
import tempfile
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

CLAIMS = {"sub": "alice", "iss": "https://id.example", "aud": "chat",
          "iat": 1799999900, "nbf": 1799999900, "exp": 1800000300,
          "role": "member"}
SECRET = "correct horse battery staple, and a bit more to make 64 bytes...!"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n, size=None):
    return b64(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def jwk(kid, key, **more):
    p = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        n = p.public_numbers()
        out = {"kty": "RSA", "n": number(n.n), "e": number(n.e)}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        n, size = p.public_numbers(), (key.key_size + 7) // 8
        crv = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521",
               "secp256k1": "secp256k1"}[key.curve.name]
        out = {"kty": "EC", "crv": crv, "x": number(n.x, size), "y": number(n.y, size)}
    else:
        raw = p.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        out = {"kty": "OKP", "crv": "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey)
               else "X25519", "x": b64(raw)}
    return {**out, "kid": kid, **more}


def certificate(key, name, issuer=None, issuer_key=None):
    named = lambda n: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)])
    return x509.CertificateBuilder().subject_name(named(name)).issuer_name(
        named(issuer or name)).public_key(key.public_key()).serial_number(7).not_valid_before(
        datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2021, 1, 1)).sign(
        issuer_key or key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def by_pyjwt(key, alg, headers=None, claims=CLAIMS):
    return jwt.encode(claims, key if isinstance(key, str) else private_pem(key), alg, headers)


def by_jwcrypto(key, alg, headers=None):
    token = jwcrypto_jws.JWS(json.dumps(CLAIMS))
    token.add_signature(jwcrypto_jwk.JWK.from_pem(private_pem(key).encode()), None,
                        json.dumps({"alg": alg, **(headers or {})}))
    return token.serialize(compact=True)


def by_node(key, alg, headers=None):
    data = b64(json.dumps({"alg": alg, **(headers or {})}).encode()) + "." + b64(json.dumps(CLAIMS).encode())
    program = """
const crypto = require('crypto'), [alg, pem, data] = process.argv.slice(1);
const digest = alg === 'EdDSA' ? null : 'sha' + alg.slice(2);
const key = {key: pem};
if (alg.startsWith('PS')) Object.assign(key, {padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
  saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST});
if (alg.startsWith('ES')) key.dsaEncoding = 'ieee-p1363';
console.log(crypto.sign(digest, Buffer.from(data), key).toString('base64url'));
"""
    out = subprocess.run(["node", "-e", program, alg, private_pem(key), data],
                         capture_output=True, text=True, check=True)
    return data + "." + out.stdout.strip()


def by_openssl(key, alg, headers=None, salt="digest"):
    data = b64(json.dumps({"alg": alg, **(headers or {})}).encode()) + "." + b64(json.dumps(CLAIMS).encode())
    with tempfile.TemporaryDirectory() as folder:
        pem, text = Path(folder, "k"), Path(folder, "d")
        pem.write_text(private_pem(key))
        text.write_text(data)
        how = {"RS384": ["-digest", "sha384", "-rawin"], "EdDSA": ["-rawin"],
               "PS512": ["-digest", "sha512", "-rawin", "-pkeyopt", "rsa_padding_mode:pss",
                         "-pkeyopt", "rsa_pss_saltlen:" + salt]}[alg]
        out = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", pem, "-in", text] + how,
                             capture_output=True, check=True).stdout
    return data + "." + b64(out)


def literal(text):
    lines = []
    for line in text.splitlines(keepends=True):
        while line:
            cut, line = line[:66], line[66:]
            cut = cut.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append('\t"%s"' % cut)
    return "\n".join(lines)


def main():
    r, small = (rsa.generate_private_key(65537, n) for n in (2048, 1024))
    p256, p384, p521, k1 = (ec.generate_private_key(c()) for c in (
        ec.SECP256R1, ec.SECP384R1, ec.SECP521R1, ec.SECP256K1))
    ed, x = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    texts = {
        "RSA_PEM": public_pem(r), "P256_PEM": public_pem(p256), "P384_PEM": public_pem(p384),
        "P521_PEM": public_pem(p521), "ED25519_PEM": public_pem(ed), "X25519_PEM": public_pem(x),
        "SMALL_RSA_PEM": public_pem(small), "K1_PEM": public_pem(k1),
        "PRIVATE_PEM": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "PKCS1_PEM": r.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode(),
        "CERTIFICATE_PEM": certificate(p256, "leaf"),
        "CHAIN_PEM": certificate(p256, "leaf", "ca", p384) + certificate(p384, "ca"),
        "SECRET": SECRET,
        "JWKS": json.dumps({"keys": [
            jwk("rsa", r, use="sig", alg="RS256"), jwk("p256", p256), jwk("p384", p384, use="sig"),
            jwk("p521", p521, key_ops=["verify"]), jwk("ed", ed, alg="EdDSA"),
            jwk("enc", r, use="enc"), jwk("k1", k1), jwk("x", x),
            jwk("oaep", r, alg="RSA-OAEP"),
            {"kty": "oct", "kid": "secret", "k": b64(SECRET.encode()), "alg": "HS256"},
            {"kty": "new", "kid": "new"}]}, indent=1),
        "SMALL_JWK": json.dumps(jwk("small", small)),
        "PRIVATE_JWK": json.dumps(jwk("own", p256, d="AAAA")),
    }
    texts["OTHER_SALT_TOKEN"] = by_openssl(r, "PS512", salt="20")
    kid = lambda name: {"kid": name}
    tokens = [
        ("RS256", "RSA_PEM", by_pyjwt(r, "RS256", kid("rsa"))),
        ("RS384", "RSA_PEM", by_openssl(r, "RS384")),
        ("RS512", "RSA_PEM", by_node(r, "RS512")),
        ("RS512", "PKCS1_PEM", by_jwcrypto(r, "RS512")),
        ("PS256", "RSA_PEM", by_pyjwt(r, "PS256")),
        ("PS384", "RSA_PEM", by_node(r, "PS384")),
        ("PS512", "RSA_PEM", by_openssl(r, "PS512")),
        ("PS256", "RSA_PEM", by_jwcrypto(r, "PS256")),
        ("ES256", "P256_PEM", by_pyjwt(p256, "ES256", kid("p256"))),
        ("ES256", "CERTIFICATE_PEM", by_node(p256, "ES256")),
        ("ES384", "P384_PEM", by_jwcrypto(p384, "ES384", kid("p384"))),
        ("ES384", "P384_PEM", by_node(p384, "ES384")),
        ("ES512", "P521_PEM", by_pyjwt(p521, "ES512", kid("p521"))),
        ("ES512", "P521_PEM", by_node(p521, "ES512")),
        ("EdDSA", "ED25519_PEM", by_pyjwt(ed, "EdDSA", kid("ed"))),
        ("EdDSA", "ED25519_PEM", by_openssl(ed, "EdDSA")),
        ("EdDSA", "ED25519_PEM", by_node(ed, "EdDSA")),
        ("HS256", "SECRET", by_pyjwt(SECRET, "HS256", kid("secret"))),
        ("HS384", "SECRET", by_pyjwt(SECRET, "HS384")),
        ("HS512", "SECRET", by_pyjwt(SECRET, "HS512")),
    ]
    out = ["/* SPDX-License-Identifier: MIT */",
           "/* Made by make_tokens.py: keys, and what other programs signed with them. */",
           "#ifndef TESTS_GATE_TOKENS_H", "#define TESTS_GATE_TOKENS_H", ""]
    for name, text in texts.items():
        out.append("__attribute__((unused)) static const char %s[] =\n%s;\n" % (name, literal(text)))
    out.append("/* Good from 1799999900 on, until 1800000300. */")
    out.append("__attribute__((unused)) static const struct token {\n"
               "\tconst char *algorithm, *key, *text;\n} tokens[] = {")
    for alg, key, token in tokens:
        out.append("\t{\"%s\", %s,\n%s},\n" % (alg, key, literal(token)))
    out += ["};", "", "#endif"]
    Path(__file__).with_name("tokens.h").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
