import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { answersIn } from './neighbour-answers.ts';

const HABETS = `ARPING 172.18.0.200
42 bytes from 02:42:ac:12:00:03 (172.18.0.200): index=0 time=5.160 usec
42 bytes from 2:42:ac:12:0:4 (172.18.0.200): index=1 time=5.160 usec

--- 172.18.0.200 statistics ---
2 packets transmitted, 2 packets received,   0% unanswered (0 extra)
`;
const IPUTILS = `ARPING 172.18.0.200 from 172.18.0.5 eth0
Unicast reply from 172.18.0.200 [02:42:AC:12:00:03]  0.672ms
Sent 1 probes (1 broadcast(s))
Received 1 response(s)
`;
const NDISC6 = `Soliciting fc00:f853:ccd:e793::200 (fc00:f853:ccd:e793::200) on eth0...
Target link-layer address: 02:42:AC:12:00:03
 from fc00:f853:ccd:e793::200
`;
const SILENCE = `ARPING 172.18.0.201
Timeout
--- 172.18.0.201 statistics ---
1 packets transmitted, 0 packets received, 100% unanswered (0 extra)
`;

spec('neighbour answers', (test) => {
  const cases: [program: string, output: string, macs: string[]][] = [
    ["Habets' arping", HABETS, ['02:42:ac:12:00:03', '02:42:ac:12:00:04']],
    ["iputils' arping", IPUTILS, ['02:42:ac:12:00:03']],
    ['ndisc6', NDISC6, ['02:42:ac:12:00:03']],
    ['an arping that nobody answered', SILENCE, []],
  ];
  for (const [program, output, macs] of cases) test(`of ${program}`, () => assert.equal(answersIn(output), macs));
});
