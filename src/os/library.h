/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared libraries that are opened at run time.
 */
#ifndef MASKDM_OS_LIBRARY_H
#define MASKDM_OS_LIBRARY_H

/* MASKDM_ENOTFOUND where it cannot be loaded, with the loader's reason; MASKDM_ENOTSUP in a fully static program. */
int mdm_library_open(void **out, const char *path);
/* A function of it in *function, a pointer to one; NULL: it has none of that name. */
void mdm_library_find(void *function, void *library, const char *name);
void mdm_library_close(void *library);

#endif
