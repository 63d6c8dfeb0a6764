/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A small part of YAML, strictly: maps within maps, whose ends are scalars or lists of scalars. Keys are words, and
 * stand once as far as whoever is told looks. Anchors and aliases are of scalars alone, so that no document is larger
 * than its text; tags, merged maps and further documents are refused.
 */
#ifndef MASKDM_TEXT_YAML_H
#define MASKDM_TEXT_YAML_H

#include "base/error.h"

#include <stddef.h>

enum {
    MDM_YAML_BYTES = 1 << 20,
    MDM_YAML_DEPTH = 4,    /* maps within maps */
    MDM_YAML_PATH = 200,   /* bytes of all keys to a value, with dots between them and a NUL */
    MDM_YAML_LIST = 64,    /* scalars in a list */
    MDM_YAML_ANCHORS = 64, /* in a document */
};

/* What stands at the end of a path. Unquoted, null and the words of truth values come as "", "true" and "false". */
struct mdm_yaml_value {
    const char *path; /* "network.patch_size" */
    const char *text; /* of a list "a,b", whose scalars have no comma */
    long line;
    int is_list;
    int anchored; /* a scalar that aliases may stand for */
};

/* Tells `visit` all values in their order. Its own failure ends the reading, and is returned. MASKDM_EFORMAT with the
 * line, MASKDM_ENOTSUP in a build without libyaml. */
int mdm_yaml_read(const char *bytes, size_t n, int (*visit)(void *user, const struct mdm_yaml_value *value),
                  void *user);

#endif
