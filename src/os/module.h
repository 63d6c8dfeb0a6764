/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a module, a table of functions that may be in a file of its own, is one that the library can work with.
 */
#ifndef MASKDM_OS_MODULE_H
#define MASKDM_OS_MODULE_H

#include <stddef.h>

/* What all modules of a kind have to be. */
struct mdm_module_kind {
    const char *of;    /* what they open: "device" */
    const char *entry; /* the one function that a file of such a module has */
    int version;
    size_t size; /* of the table that the library knows */
};

/* What a module says of itself; no name: it is none. */
struct mdm_module_said {
    const char *name;
    int version;
    size_t size; /* of its table, which may be longer than ours, with functions behind those that we know */
};

/* MASKDM_EVERSION, with both numbers, where its table is not for this library. */
int mdm_module_check(const struct mdm_module_kind *kind, struct mdm_module_said said);
/* The same for what the file at `path` has; MASKDM_ENOTSUP where that is no module of the kind, or not the one
 * wanted. */
int mdm_module_check_file(const struct mdm_module_kind *kind, struct mdm_module_said said, const char *path,
                          const char *wanted);

#endif
