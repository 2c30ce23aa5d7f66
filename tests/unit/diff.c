// SPDX-License-Identifier: GPL-2.0-only
/*
 * Criterion's libgit2, woken only when there is a difference of strings to show.
 *
 * Each test is a process, and libgit2 reads all the machine's certificates as it starts: half of a
 * small test's time.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>

int git_libgit2_init(void)
{
	return 1;
}

int git_libgit2_shutdown(void)
{
	return 0;
}

int git_diff_buffers(const void *old, size_t old_len, const char *old_path, const void *new,
                     size_t new_len, const char *new_path, const void *options, void *file,
                     void *binary, void *hunk, void *line, void *payload)
{
	int (*init)(void) = dlsym(RTLD_NEXT, "git_libgit2_init");
	__typeof__(git_diff_buffers) *diff = dlsym(RTLD_NEXT, "git_diff_buffers");

	cr_assert(init && diff && init() > 0);
	return diff(old, old_len, old_path, new, new_len, new_path, options, file, binary, hunk,
	            line, payload);
}
