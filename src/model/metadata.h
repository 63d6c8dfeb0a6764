/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host keeps with a model: keys and values of its own, in a file's metadata behind a prefix.
 */
#ifndef MASKDM_MODEL_METADATA_H
#define MASKDM_MODEL_METADATA_H

#include <stdint.h>

enum {
    MDM_METADATA_ENTRIES = 64,
    MDM_METADATA_KEY = 128,        /* bytes */
    MDM_METADATA_VALUE = 64 << 10, /* bytes: all of them fit a file's header, however they are escaped */
};

/* In the order in which the keys came. */
struct mdm_metadata {
    struct mdm_metadata_entry {
        char *key, *value;
    } *entry;
    int64_t count;
};

struct mdm_tensorfile;
struct mdm_safetensors_writer;

void mdm_metadata_free(struct mdm_metadata *m);
/* NULL: absent. */
const char *mdm_metadata_get(const struct mdm_metadata *m, const char *key);
/* In place of what the key had; value NULL takes it away. UTF-8 of 1 to MDM_METADATA_KEY bytes and up to
 * MDM_METADATA_VALUE. */
int mdm_metadata_set(struct mdm_metadata *m, const char *key, const char *value);
/* In place of all that `to` had; unchanged on failure. */
int mdm_metadata_copy(struct mdm_metadata *to, const struct mdm_metadata *from);
/* "user.KEY"; entries of a file that are too many or too long are MASKDM_EFORMAT. */
int mdm_metadata_write(const struct mdm_metadata *m, struct mdm_safetensors_writer *w);
int mdm_metadata_read(struct mdm_metadata *m, const struct mdm_tensorfile *s);

#endif
