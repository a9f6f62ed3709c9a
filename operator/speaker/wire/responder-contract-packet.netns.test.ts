/** The responder of packet sockets against the contract, on a real kernel with real clients. Needs root; run as its own process. */

import { tellContract } from './contract/tell.ts';
import { enterNamespace } from './netns-lab.ts';

if (enterNamespace(import.meta.filename)) tellContract('packet');
