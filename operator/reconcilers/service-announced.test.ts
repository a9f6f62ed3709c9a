import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { AnnouncedStage } from './testing/announced-stage.ts';

const WEB = 'shop/web';

/** A Service that node-b or node-a announces, said and stored. 10.0.0.1 is node-b's while that lives: MetalLB's order. */
async function announced(): Promise<AnnouncedStage> {
  const stage = new AnnouncedStage();
  stage.service('web', '10.0.0.1');
  stage.report();
  await stage.settle();
  stage.writes.length = 0;
  return stage;
}

spec('the reconciler of what is announced', (test) => {
  test('writes one object and one status from assigned to steady, the object first', async () => {
    const stage = new AnnouncedStage();
    stage.service('web', '10.0.0.1');
    await stage.settle();
    assert.equal(stage.writes, [], 'nothing is said before the speakers have spoken');
    stage.report();
    await stage.settle();
    assert.equal(stage.writes, ['store shop/web', 'status shop/web']);
    assert.is(stage.conditionOf(WEB), 'True Announced');
    assert.is(stage.announcementOf(WEB), 'True Announced 10.0.0.1 l2:node-b');
    stage.report();
    await stage.settle(WEB);
    assert.is(stage.writes.length, 2);
  });

  test('lets addresses go first', async () => {
    const stage = new AnnouncedStage();
    stage.isBusy = true;
    stage.service('web', '10.0.0.1');
    stage.report();
    assert.equal(await stage.settle(), [500]);
    assert.equal(stage.writes, []);
  });

  test('writes the object of each of many before the condition of any', async () => {
    const stage = new AnnouncedStage();
    stage.isCrowded = true;
    stage.service('web', '10.0.0.1');
    stage.report();
    assert.equal(await stage.settle(), [1_000]);
    assert.equal(stage.writes, ['store shop/web']);
    await stage.settle(WEB);
    assert.equal(stage.writes, ['store shop/web', 'status shop/web']);
    await stage.settle(WEB);
    assert.is(stage.writes.length, 2);
  });

  test('writes nothing after a restart', async () => {
    const stage = await announced();
    const next = new AnnouncedStage();
    for (const each of stage.stores.services.list()) next.put(each);
    next.endpoints('web', 'node-a');
    for (const each of stage.stores.serviceAnnouncements.list()) next.stores.serviceAnnouncements.put(WEB, each);
    next.report();
    await next.settle(WEB);
    assert.equal(next.writes, []);
  });

  test('says why nothing announces, once it has held for two seconds', async () => {
    const stage = await announced();
    stage.advertise(false);
    stage.report();
    assert.equal(await stage.settle(), [2_000]);
    assert.equal(stage.writes, []);
    stage.time += 2_000;
    await stage.settle(WEB);
    assert.is(stage.conditionOf(WEB), 'False NoAdvertisement');
    assert.is(stage.announcementOf(WEB), 'False NoAdvertisement 10.0.0.1');
    stage.advertise(true);
    stage.report();
    await stage.settle();
    assert.is(stage.conditionOf(WEB), 'True Announced');
  });

  test('says another reason when the reason changes', async () => {
    const stage = await announced();
    stage.endpoints('web');
    stage.report();
    await stage.settle();
    stage.time += 2_000;
    await stage.settle(WEB);
    assert.is(stage.conditionOf(WEB), 'False NoEndpoints');
  });

  test('changes no Service when its owner dies, and only the names, ten seconds later', async () => {
    const stage = await announced();
    stage.alive = ['node-a'];
    stage.report();
    assert.equal(await stage.settle(), [10_000]);
    assert.equal(stage.writes, []);
    stage.time += 10_000;
    await stage.settle(WEB);
    assert.equal(stage.writes, ['store shop/web']);
    assert.is(stage.announcementOf(WEB), 'True Announced 10.0.0.1 l2:node-a');
  });

  test('writes twenty names a second', async () => {
    const stage = new AnnouncedStage();
    const names = Array.from({ length: 40 }, (_, at) => `s${at}`);
    for (const [at, name] of names.entries()) stage.service(name, `10.0.1.${at}`);
    stage.report();
    await stage.settle();
    stage.alive = ['node-a'];
    stage.report();
    const waits = await stage.settle();
    assert.ok(waits.length > 5);
    assert.equal(
      waits,
      waits.map((_, at) => 10_000 + 50 * at),
    );
  });

  test('leaves the names alone when the owner is back in time', async () => {
    const stage = await announced();
    stage.alive = ['node-a'];
    stage.report();
    await stage.settle();
    stage.alive = ['node-a', 'node-b'];
    stage.report();
    assert.equal(await stage.settle(), [0]);
    assert.equal(stage.writes, []);
  });

  test('knows nothing once no node was heard of for 40 s', async () => {
    const stage = await announced();
    stage.time += 41_000;
    stage.book.checkLeases();
    await stage.settle();
    assert.is(stage.conditionOf(WEB), 'True Announced');
    stage.time += 5_000;
    await stage.settle(WEB);
    assert.is(stage.conditionOf(WEB), 'Unknown NoReport');
    stage.report();
    await stage.settle();
    assert.is(stage.conditionOf(WEB), 'True Announced');
  });

  test('says so when the reports do not become what follows from the configuration', async () => {
    const stage = await announced();
    stage.advertise(false);
    assert.equal(await stage.settle(), [45_000]);
    for (; stage.time < 46_000; stage.time += 10_000)
      for (const node of stage.alive) stage.book.renewed({ metadata: { name: '' }, spec: { holderIdentity: node } });
    await stage.settle(WEB);
    assert.is(stage.conditionOf(WEB), 'Unknown ReportsDiffer');
  });

  test('takes the object away from a Service that is gone or of another class, when nobody else did', async () => {
    const stage = await announced();
    stage.remove(WEB);
    assert.equal(await stage.settle(WEB), [5_000]);
    stage.time += 5_000;
    await stage.settle(WEB);
    assert.equal(stage.writes, ['remove shop/web']);
  });

  test('tells of an address that is gone in the object that is there', async () => {
    const stage = await announced();
    const service = stage.stores.services.get(WEB);
    if (service) stage.put({ ...service, status: { loadBalancer: { ingress: [] }, conditions: [] } });
    await stage.settle(WEB);
    assert.is(stage.announcementOf(WEB), 'False NoAddress');
    assert.equal(stage.writes, ['store shop/web'], 'who assigns has written the status already');
  });

  test('writes the condition even where the object is refused', async () => {
    const stage = new AnnouncedStage();
    stage.refusesAnnouncements = true;
    stage.service('web', '10.0.0.1');
    stage.report();
    await stage.settle().then(
      () => assert.unreachable('it is to be tried again'),
      ({ message }: Error) => assert.is(message, 'refused'),
    );
    assert.is(stage.conditionOf(WEB), 'True Announced');
  });

  test('writes nothing twice while the watch has not brought back what was written', async () => {
    const stage = new AnnouncedStage();
    stage.isWatchBehind = true;
    stage.service('web', '10.0.0.1');
    stage.report();
    await stage.settle();
    await stage.settle(WEB);
    assert.equal(stage.writes, ['store shop/web', 'status shop/web']);
  });

  test('keeps objects for all, for the labelled, for up to 2,000 or for none', async () => {
    const LABEL = { 'heraldlb.io/service-announcement': 'true' };
    const cases = [
      ['all', 9_999, 'api web'],
      ['auto', 2_000, 'api web'],
      ['auto', 2_001, 'api'],
      ['labelled', 1, 'api'],
      ['none', 1, ''],
    ] as const;
    for (const [mode, count, gives] of cases) {
      const stage = new AnnouncedStage(mode, () => count);
      stage.service('web', '10.0.0.1');
      stage.service('api', '10.0.0.2', LABEL);
      stage.report();
      await stage.settle();
      const stored = stage.stores.serviceAnnouncements.list().map(({ metadata }) => metadata.name);
      assert.is(stored.toSorted().join(' '), gives, `${mode} ${count}`);
      assert.is(stage.conditionOf(WEB), 'True Announced');
    }
  });

  test('says of Services of every type that their external IPs are announced, and takes it back', async () => {
    const stage = new AnnouncedStage();
    stage.external('dns', '10.0.0.1', '10.0.0.3');
    stage.report();
    await stage.settle('shop/dns');
    assert.equal(stage.writes, [], 'nobody has granted anything');
    stage.grant('shop/dns', '10.0.0.1');
    stage.report();
    await stage.settle();
    assert.equal(stage.writes, ['store shop/dns', 'status shop/dns']);
    assert.is(stage.conditionOf('shop/dns'), 'True Announced');
    assert.is(stage.announcementOf('shop/dns'), 'True Announced 10.0.0.1 l2:node-b');
    stage.grant('shop/dns');
    stage.report();
    await stage.settle('shop/dns');
    assert.is(stage.conditionOf('shop/dns'), 'none');
    stage.time += 5_000;
    await stage.settle('shop/dns');
    assert.is(stage.announcementOf('shop/dns'), 'none');
  });

  test('counts external IPs beside what a load balancer holds', async () => {
    const stage = await announced();
    const service = stage.stores.services.get(WEB);
    if (!service) throw new Error('there is a Service');
    stage.put({ ...service, spec: { ...service.spec, clusterIP: '10.96.0.7', externalIPs: ['10.0.0.3'] } });
    stage.grant(WEB, '10.0.0.3');
    stage.report();
    await stage.settle();
    assert.is(stage.conditionOf(WEB), 'True Announced');
    assert.match(stage.announcementOf(WEB), /^True Announced 10\.0\.0\.1,10\.0\.0\.3 /);
    assert.equal(stage.writes, ['store shop/web']);
  });

  test('says of each Service that shares an address that it is announced, and of the other once one is gone', async () => {
    const stage = new AnnouncedStage();
    for (const [name, port] of [
      ['tcp', 80],
      ['udp', 53],
    ] as const) {
      stage.service(name, '10.0.0.1');
      const service = stage.stores.services.get(`shop/${name}`);
      if (!service) throw new Error('there is a Service');
      const annotations = { ...service.metadata.annotations, 'metallb.io/allow-shared-ip': 'k' };
      const metadata = { ...service.metadata, annotations };
      stage.put({ ...service, metadata, spec: { ...service.spec, ports: [{ port }] } });
    }
    stage.report();
    await stage.settle();
    for (const key of ['shop/tcp', 'shop/udp'])
      assert.is(stage.announcementOf(key), 'True Announced 10.0.0.1 l2:node-b', key);
    stage.remove('shop/tcp');
    stage.report();
    stage.writes.length = 0;
    await stage.settle('shop/udp');
    assert.is(stage.conditionOf('shop/udp'), 'True Announced');
    assert.equal(
      stage.writes.filter((write) => write.includes('udp')),
      [],
    );
  });
});
