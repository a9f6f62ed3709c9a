// SPDX-License-Identifier: Apache-2.0
/*
 * Answers ARP requests (RFC 826) and Neighbor Solicitations (RFC 4861) on the ingress of an interface (tcx, Linux 6.6).
 *
 * It answers the common form only: an untagged request of a station with an address, for an address in the map, while
 * the lease runs. Everything else goes on to the packet sockets behind it (probes of duplicate address detection,
 * solicitations without or with further options, whatever is malformed), so that one place in user space decides it.
 *
 * The file includes nothing: it needs gcc for BPF and no headers. To load with the capability BPF alone, without
 * PERFMON, it must not add variables to pointers into the frame and not read what it did not write. Maps are described by `struct map` in the
 * section "maps", which operator/host/bpf/object-file.ts reads; keys and values are laid out again in maps.ts.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define HELPER(number, result, name, arguments) result name arguments __attribute__((kernel_helper(number)))
/* The network's order on the little-endian machines that Node runs on. */
#define NET16(x) ((u16)((((x) & 0xff) << 8) | ((x) >> 8)))

/* The fields of struct __sk_buff (linux/bpf.h) up to the last one that is read. */
struct sk_buff_context {
	u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex;
	u32 ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
};

/* Numbers of linux/bpf.h: helpers, map types, flags, verdicts of tcx. */
HELPER(1, void *, map_lookup, (void *, const void *));
HELPER(5, u64, now_ns, (void));
HELPER(23, long, redirect, (u32, u64));
HELPER(28, long, csum_diff, (const void *, u32, const void *, u32, u32));
HELPER(39, long, pull_data, (void *, u32));
enum { MAP_HASH = 1, MAP_ARRAY = 2, NO_PREALLOC = 1 };
enum { NEXT = -1, DROP = 2 };
enum { ARP = 0x0806, IPV4 = 0x0800, IPV6 = 0x86dd, ICMPV6 = 58, SOLICITATION = 135, ADVERTISEMENT = 136 };

struct map {
	u32 type, key_size, value_size, max_entries, flags;
};

/* IPv4 addresses are written as ::ffff:a.b.c.d */
struct address_key {
	u32 interface;
	u8 address[16];
};
enum { OWNED = 1, GUARDED = 2 };
struct address_value {
	u64 flags;
	u64 answered;
};
struct interface_value {
	u8 mac[6];
	u16 unused;
};
enum { COUNT_ARP, COUNT_NDP, COUNT_GUARDED, COUNT_PASSED, COUNT_UNLEASED, COUNTERS };

/* What is answered for on which interface, or not even by the kernel. */
struct map addresses SECTION("maps") = { MAP_HASH, sizeof(struct address_key), sizeof(struct address_value), 131072, NO_PREALLOC };
/* The station on each interface. */
struct map interfaces SECTION("maps") = { MAP_HASH, sizeof(u32), sizeof(struct interface_value), 1024, NO_PREALLOC };
/* CLOCK_MONOTONIC nanoseconds until which anything is done at all. */
struct map lease SECTION("maps") = { MAP_ARRAY, sizeof(u32), sizeof(u64), 1, 0 };
struct map counters SECTION("maps") = { MAP_ARRAY, sizeof(u32), sizeof(u64), COUNTERS, 0 };

struct ethernet {
	u8 destination[6], source[6];
	u16 type;
} __attribute__((packed));
struct arp_frame {
	struct ethernet ethernet;
	u16 hrd, pro;
	u8 hln, pln;
	u16 op;
	u8 sha[6], spa[4], tha[6], tpa[4];
} __attribute__((packed));
struct ipv6_frame {
	struct ethernet ethernet;
	u8 version_class, class_flow, flow[2];
	u16 payload_length;
	u8 next_header, hop_limit;
	u8 source[16], destination[16];
} __attribute__((packed));
/* With one option: the length of what is answered here. */
struct neighbor_frame {
	struct ipv6_frame ip;
	u8 type, code;
	u16 checksum;
	u8 flags, reserved[3];
	u8 target[16];
	u8 option, option_length, link_address[6];
} __attribute__((packed));
enum { NEIGHBOR_BODY = 32, CHECKSUMMED = 64 /* both addresses and the message, which lie side by side */ };

INLINE int same(const u8 *a, const u8 *b, int length)
{
	u8 difference = 0;
#pragma GCC unroll 16
	for (int i = 0; i < length; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

INLINE void copy(u8 *to, const u8 *from, int length)
{
#pragma GCC unroll 16
	for (int i = 0; i < length; i++)
		to[i] = from[i];
}

INLINE int is_zero(const u8 *octets, int length)
{
	u8 any = 0;
#pragma GCC unroll 16
	for (int i = 0; i < length; i++)
		any |= octets[i];
	return any == 0;
}

INLINE int is_group(const u8 *mac)
{
	return mac[0] & 1;
}

INLINE void count(u32 which)
{
	u64 *counter = map_lookup(&counters, &which);
	if (counter)
		__sync_fetch_and_add(counter, 1);
}

INLINE int has_lease(void)
{
	u32 first = 0;
	u64 *until = map_lookup(&lease, &first);
	return until && now_ns() < *until;
}

/* Whether a station with this MAC address may take the frame, and the sender is another one. */
INLINE int concerns(const struct ethernet *frame, const u8 *mac, const u8 *sender)
{
	if (!is_group(frame->destination) && !same(frame->destination, mac, 6))
		return 0;
	return !is_group(sender) && !same(sender, mac, 6) && !same(frame->source, mac, 6);
}

/* Makes `length` octets readable: a driver may leave a part of the frame outside. */
INLINE int reaches(struct sk_buff_context *frame, u32 length)
{
	if (frame->len < length)
		return 0;
	if ((void *)(long)frame->data + length <= (void *)(long)frame->data_end)
		return 1;
	return pull_data(frame, length) == 0;
}

INLINE int send_back(struct sk_buff_context *frame, struct address_value *address, u32 which)
{
	__sync_fetch_and_add(&address->answered, 1);
	count(which);
	return redirect(frame->ifindex, 0);
}

INLINE int verdict_without_answer(u32 which, int verdict)
{
	count(which);
	return verdict;
}

INLINE int answer_arp(struct sk_buff_context *frame)
{
	if (!reaches(frame, sizeof(struct arp_frame)))
		return NEXT;
	struct arp_frame *arp = (void *)(long)frame->data;
	if ((void *)(arp + 1) > (void *)(long)frame->data_end)
		return NEXT;
	if (arp->hrd != NET16(1) || arp->pro != NET16(IPV4) || arp->hln != 6 || arp->pln != 4 || arp->op != NET16(1))
		return NEXT;

	struct address_key key = { .interface = frame->ifindex, .address = { [10] = 0xff, [11] = 0xff } };
	copy(key.address + 12, arp->tpa, 4);
	struct address_value *address = map_lookup(&addresses, &key);
	if (!address)
		return NEXT;
	if (!has_lease())
		return verdict_without_answer(COUNT_UNLEASED, NEXT);
	if (address->flags & GUARDED)
		return verdict_without_answer(COUNT_GUARDED, DROP);
	struct interface_value *station = map_lookup(&interfaces, &key.interface);
	if (!station || !concerns(&arp->ethernet, station->mac, arp->sha))
		return verdict_without_answer(COUNT_PASSED, NEXT);
	/* RFC 5227: probes and announcements */
	if (is_zero(arp->spa, 4) || same(arp->spa, arp->tpa, 4))
		return verdict_without_answer(COUNT_PASSED, NEXT);

	copy(arp->ethernet.destination, arp->sha, 6);
	copy(arp->ethernet.source, station->mac, 6);
	arp->op = NET16(2);
	copy(arp->tha, arp->sha, 6);
	copy(arp->sha, station->mac, 6);
	copy(arp->tpa, arp->spa, 4);
	copy(arp->spa, key.address + 12, 4);
	return send_back(frame, address, COUNT_ARP);
}

/* The Internet checksum (RFC 1071) over pseudo-header and message; 0 when the message holds its right checksum. */
INLINE u16 checksum_of(struct neighbor_frame *neighbor)
{
	u32 lengths = NET16(NEIGHBOR_BODY + ICMPV6);
	u64 sum = (u32)csum_diff(0, 0, neighbor->ip.source, CHECKSUMMED, lengths);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The target itself, or its solicited-node group (RFC 4291 2.7.1). */
INLINE int is_sent_to_target(const struct neighbor_frame *neighbor)
{
	const u8 *destination = neighbor->ip.destination;
	if (same(destination, neighbor->target, 16))
		return 1;
	return destination[0] == 0xff && destination[1] == 2 && is_zero(destination + 2, 9) && destination[11] == 1 &&
	       destination[12] == 0xff && same(destination + 13, neighbor->target + 13, 3);
}

/* RFC 4861 7.1.1, and exactly one option: the sender's link-layer address. */
INLINE int is_common(struct neighbor_frame *neighbor)
{
	if (neighbor->ip.hop_limit != 255 || neighbor->code != 0 || neighbor->ip.payload_length != NET16(NEIGHBOR_BODY))
		return 0;
	if (neighbor->option != 1 || neighbor->option_length != 1)
		return 0;
	if (is_zero(neighbor->ip.source, 16) || neighbor->ip.source[0] == 0xff || neighbor->target[0] == 0xff)
		return 0;
	return is_sent_to_target(neighbor) && checksum_of(neighbor) == 0;
}

INLINE void make_advertisement(struct neighbor_frame *neighbor, const u8 *mac)
{
	copy(neighbor->ip.ethernet.destination, neighbor->link_address, 6);
	copy(neighbor->ip.ethernet.source, mac, 6);
	neighbor->ip.version_class = 0x60;
	neighbor->ip.class_flow = 0;
	neighbor->ip.flow[0] = neighbor->ip.flow[1] = 0;
	copy(neighbor->ip.destination, neighbor->ip.source, 16);
	copy(neighbor->ip.source, neighbor->target, 16);
	neighbor->type = ADVERTISEMENT;
	neighbor->flags = 0x60; /* solicited, override */
	neighbor->reserved[0] = neighbor->reserved[1] = neighbor->reserved[2] = 0;
	neighbor->option = 2; /* target link-layer address */
	copy(neighbor->link_address, mac, 6);
	neighbor->checksum = 0;
	neighbor->checksum = checksum_of(neighbor);
}

/* Up to the target: the shortest solicitation. */
enum { SHORTEST = sizeof(struct ipv6_frame) + 24 };

INLINE int answer_ndp(struct sk_buff_context *frame)
{
	if (!reaches(frame, sizeof(struct ipv6_frame)))
		return NEXT;
	struct ipv6_frame *ip = (void *)(long)frame->data;
	if ((void *)(ip + 1) > (void *)(long)frame->data_end || ip->next_header != ICMPV6 || ip->version_class >> 4 != 6)
		return NEXT;
	if (!reaches(frame, SHORTEST))
		return NEXT;
	struct neighbor_frame *neighbor = (void *)(long)frame->data;
	if ((void *)neighbor + SHORTEST > (void *)(long)frame->data_end || neighbor->type != SOLICITATION)
		return NEXT;

	struct address_key key = { .interface = frame->ifindex };
	copy(key.address, neighbor->target, 16);
	struct address_value *address = map_lookup(&addresses, &key);
	if (!address)
		return NEXT;
	if (!has_lease())
		return verdict_without_answer(COUNT_UNLEASED, NEXT);
	if (address->flags & GUARDED)
		return verdict_without_answer(COUNT_GUARDED, DROP);
	struct interface_value *station = map_lookup(&interfaces, &key.interface);
	if (!station || !reaches(frame, sizeof(struct neighbor_frame)))
		return verdict_without_answer(COUNT_PASSED, NEXT);
	neighbor = (void *)(long)frame->data;
	if ((void *)(neighbor + 1) > (void *)(long)frame->data_end)
		return NEXT;
	if (!is_common(neighbor) || !concerns(&neighbor->ip.ethernet, station->mac, neighbor->link_address))
		return verdict_without_answer(COUNT_PASSED, NEXT);
	make_advertisement(neighbor, station->mac);
	return send_back(frame, address, COUNT_NDP);
}

SECTION("tcx/ingress") int answer(struct sk_buff_context *frame)
{
	if (frame->vlan_present)
		return NEXT;
	if (frame->protocol == NET16(ARP))
		return answer_arp(frame);
	if (frame->protocol == NET16(IPV6))
		return answer_ndp(frame);
	return NEXT;
}
