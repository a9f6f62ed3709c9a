/** Ethernet MAC addresses (IEEE 802, 48 bits) as text and as octets. */

/** Six octets as 'aa:bb:cc:dd:ee:ff', lower case. */
export type MacAddress = string;

/** Every station on the segment. */
export const BROADCAST_MAC: MacAddress = 'ff:ff:ff:ff:ff:ff';

/** No station: what a request says of whom it looks for. */
export const NO_MAC: MacAddress = '00:00:00:00:00:00';

/** The six octets of `mac`. */
export const macOctets = (mac: MacAddress): Uint8Array =>
  Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16));

/** The text of six octets. */
export const macFromOctets = (octets: Uint8Array): MacAddress =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':');
