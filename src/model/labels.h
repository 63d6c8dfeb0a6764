/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of a model's labels. They are names of folders, so any bytes; nothing is computed from them.
 */
#ifndef MASKDM_MODEL_LABELS_H
#define MASKDM_MODEL_LABELS_H

#include "text/text.h"


enum {
    MDM_LABEL_NAME = 1024,    /* bytes of one name */
    MDM_LABEL_NAMES = 4 << 20 /* of all: far below what a file's header may have, however they are escaped */
};

/* Label i is name[i]; those behind `count` have none. */
struct mdm_labels {
    char **name;
    int64_t count;
};

/* Copies, in place of those that it had: at most `classes`, each of 1 to MDM_LABEL_NAME bytes. */
int mdm_labels_set(struct mdm_labels *l, const char *const *name, int64_t count, int64_t classes);
void mdm_labels_free(struct mdm_labels *l);
/* The first label that both name and name differently, or -1. */
int64_t mdm_labels_difference(const struct mdm_labels *a, const struct mdm_labels *b);
/* "a, b, c", the first few alone. */
void mdm_labels_list(const struct mdm_labels *l, struct mdm_text *out);
/* As an array in JSON, and back. Text that is not one is MASKDM_EFORMAT, NULL is no names. */
void mdm_labels_write(const struct mdm_labels *l, struct mdm_text *out);
int mdm_labels_read(struct mdm_labels *l, const char *json, int64_t classes);

#endif
