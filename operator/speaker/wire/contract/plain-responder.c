/* The floor of the packet responder: answers ARP for one address as simply as it can be done in user space.
 *
 *   plain-responder INTERFACE ADDRESS
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int count, char **words)
{
	if (count != 3)
		return 2;
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x0806));
	struct ifreq link = { 0 };
	strncpy(link.ifr_name, words[1], IFNAMSIZ - 1);
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0806) };
	at.sll_ifindex = if_nametoindex(words[1]);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &link) < 0 || bind(fd, (void *)&at, sizeof at) < 0) {
		perror("plain-responder");
		return 1;
	}
	in_addr_t address = inet_addr(words[2]);
	unsigned char frame[2048];
	for (;;) {
		if (recv(fd, frame, sizeof frame, 0) < 42 || frame[21] != 1 || memcmp(frame + 38, &address, 4) != 0)
			continue;
		memcpy(frame, frame + 22, 6);
		memcpy(frame + 6, link.ifr_hwaddr.sa_data, 6);
		frame[21] = 2;
		memcpy(frame + 32, frame + 22, 10);
		memcpy(frame + 22, link.ifr_hwaddr.sa_data, 6);
		memcpy(frame + 28, &address, 4);
		send(fd, frame, 60, 0);
	}
}
