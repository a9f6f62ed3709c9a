/**
 * A self-signed X.509 certificate (RFC 5280) on an ECDSA P-256 key: node:crypto reads certificates but makes none.
 *
 * Only what such a certificate needs is encoded here, in DER (X.690):
 *
 *   Certificate = SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
 *   tbsCertificate = SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                               subjectPublicKeyInfo, [3] extensions { subjectAltName } }
 */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8; it never leaves the process. */
  readonly key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A certificate lives as long as its process; scrapers do not check a self-signed one. */
const VALID_FOR_MS = 3650 * DAY_MS;
/** Clocks of scrapers may be behind ours. */
const VALID_BEFORE_MS = DAY_MS;

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
};
const GENERALIZED_TIME = 0x18;
/** Context-specific tags: dNSName in GeneralName (RFC 5280 4.2.1.6), version and extensions in TBSCertificate (4.1). */
const DNS_NAME = 0x82;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** Object identifiers, already encoded: ecdsa-with-SHA256 (RFC 5758 3.2), commonName, subjectAltName. */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];

/** Makes a key and its certificate for `names`; the first is also the common name. */
export function selfSignedCertificate(names: readonly [string, ...string[]], now: Date): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const tbs = tbsCertificate(names, now, publicKey);
  const signature = sign('sha256', tbs, privateKey);
  const der = sequence(tbs, algorithm(), encode(TAG.bitString, Buffer.of(0), signature));
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function tbsCertificate(names: readonly [string, ...string[]], now: Date, publicKey: KeyObject): Buffer {
  // RFC 5280 4.1.2.2: positive and at most 20 octets; the first bit set to 01 keeps it both positive and minimal.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const [commonName] = names;
  const name = sequence(
    encode(
      TAG.set,
      sequence(encode(TAG.oid, Buffer.from(COMMON_NAME)), encode(TAG.utf8String, Buffer.from(commonName))),
    ),
  );
  const altNames = sequence(...names.map((each) => encode(DNS_NAME, Buffer.from(each))));
  return sequence(
    encode(VERSION, encode(TAG.integer, Buffer.of(2))), // v3
    encode(TAG.integer, serial),
    algorithm(),
    name,
    sequence(time(new Date(now.getTime() - VALID_BEFORE_MS)), time(new Date(now.getTime() + VALID_FOR_MS))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    encode(
      EXTENSIONS,
      sequence(sequence(encode(TAG.oid, Buffer.from(SUBJECT_ALT_NAME)), encode(TAG.octetString, altNames))),
    ),
  );
}

const algorithm = (): Buffer => sequence(encode(TAG.oid, Buffer.from(ECDSA_WITH_SHA256)));

/** GeneralizedTime, YYYYMMDDHHMMSSZ, also before 2050: every reader takes it there, RFC 5280 only prefers UTCTime. */
const time = (at: Date): Buffer =>
  encode(
    GENERALIZED_TIME,
    Buffer.from(
      `${at
        .toISOString()
        .replace(/\.\d+Z$/, 'Z')
        .replace(/[-:T]/g, '')}`,
    ),
  );

const sequence = (...parts: readonly Buffer[]): Buffer => encode(TAG.sequence, ...parts);

/** Tag, length, value (X.690 8.1): a length below 128 is one octet, a longer one is preceded by its own size. */
function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length, ...length), content]);
}
