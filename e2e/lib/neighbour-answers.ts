/** Reads what arping and ndisc6 print: which hardware addresses answered for an address. */

const ETHERNET = /\b(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}\b/i;
/** Lines that report an answer: of both programs called arping (Habets', iputils'), and of ndisc6. */
const ANSWER = /bytes from|reply from|Target link-layer address/i;

/** The hardware address of every answer, in order, lower case; repeated answers stay. */
export function answersIn(output: string): string[] {
  return output.split('\n').flatMap((line) => {
    const mac = ANSWER.test(line) ? ETHERNET.exec(line)?.[0] : undefined;
    return mac === undefined ? [] : [fullMac(mac)];
  });
}

/** Two digits per octet: ndisc6 and some versions of arping leave leading zeros away. */
const fullMac = (mac: string): string =>
  mac
    .toLowerCase()
    .split(':')
    .map((octet) => octet.padStart(2, '0'))
    .join(':');
