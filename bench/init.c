// SPDX-License-Identifier: GPL-2.0-only
/* A guest's /init that says it is there, and powers off. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	static const char here[] = "init-is-here\n";

	if (write(STDOUT_FILENO, here, sizeof(here) - 1) < 0)
		return 1;
	reboot(RB_POWER_OFF);
	return 0;
}
