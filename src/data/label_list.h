/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Labels that stand beside the images and not in their folders' names: each is a number for a name.
 */
#ifndef MASKDM_DATA_LABEL_LIST_H
#define MASKDM_DATA_LABEL_LIST_H

#include "data/scan.h"

enum { MDM_LABEL_MOST = 65535 }; /* the largest number that a label may be */

struct mdm_label_list {
    struct mdm_label_entry {
        char *name;
        int32_t label;
        int used; /* an image has it */
    } * entry;
    int64_t count;
};

/* A label in decimal digits, blanks around them; -1: it is none, or above MDM_LABEL_MOST. */
int32_t mdm_label_parse(const char *text, size_t n);
int mdm_label_list_add(struct mdm_label_list *l, const char *name, size_t n, int32_t label);
/* Give every image the label of its name, or, with `by_key`, of its name up to the first dot behind the last slash;
 * those without one have -1. Labels are then numbers, which are their names as well. *unused: entries that no image
 * has, of which *first, borrowed, is the first in byte order. Two labels for one name are MASKDM_EFORMAT. */
int mdm_label_list_give(struct mdm_label_list *l, struct mdm_scan *s, int by_key, int64_t *unused,
                        const char **first);
/* The bytes of a name up to the first dot behind its last slash, as WebDataset takes it. */
size_t mdm_label_key(const char *name);
void mdm_label_list_free(struct mdm_label_list *l);

#endif
