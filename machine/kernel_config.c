// SPDX-License-Identifier: GPL-2.0-only
/* What the running kernel was built with. */
#include "machine/kernel_config.h"

#include <string.h>
#include <zlib.h>

#include "vmm/types.h"

enum kernel_config kernel_config(const char *path, const char *option)
{
	enum kernel_config found = CONFIG_OFF; /* an option that cannot be chosen has no line */
	const size_t len = strlen(option);
	gzFile file = gzopen(path, "rbe");
	char line[256];
	bool any = false;

	while (file && gzgets(file, line, sizeof(line))) {
		any = true;
		if (!strncmp(line, option, len) && line[len] == '=')
			found = line[len + 1] == 'y' || line[len + 1] == 'm' ? CONFIG_ON
			                                                     : CONFIG_OFF;
	}
	if (file)
		gzclose(file);
	return any ? found : CONFIG_UNKNOWN;
}
