/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is written of a data set so that it can be told from others.
 */
#include "data/manifest.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/format.h"
#include "os/file.h"
#include "text/text.h"

#include <string.h>

static const size_t most_bytes = SIZE_MAX / 16; /* a manifest is as long as there are files */

static uint64_t digest_of_labels(const maskdm_data *data)
{
    struct mdm_digest d;

    mdm_digest_start(&d);
    for (int64_t i = 0; i < data->known_labels; i++) {
        unsigned char label[4];

        mdm_store_le(label, 4, (uint32_t)data->known[i]);
        mdm_digest_add(&d, label, sizeof label);
    }
    return mdm_digest_value(&d);
}

static uint64_t digest_of_broken(const struct mdm_scan *s)
{
    struct mdm_digest d;

    mdm_digest_start(&d);
    for (int64_t i = s->count; i < s->count + s->broken; i++)
        mdm_digest_add(&d, mdm_scan_name(s, i), strlen(mdm_scan_name(s, i)) + 1);
    return mdm_digest_value(&d);
}

void mdm_data_identity(const maskdm_data *data, char out[MDM_IDENTITY])
{
    const struct mdm_scan *s = data->files;
    int64_t broken = s ? s->broken : 0;
    char without[48] = "";

    /* Which files could be read decides what is trained on, and is not in the digest of what was found. */
    if (broken)
        mdm_format(without, sizeof without, ", without %lld, %016llx", (long long)broken,
                   (unsigned long long)digest_of_broken(s));
    mdm_format(out, MDM_IDENTITY, "%lld images of %lld x %lld x %d, %016llx%s", (long long)data->count,
               (long long)data->height, (long long)data->width, data->channels,
               (unsigned long long)(s ? s->digest : digest_of_labels(data)), without);
}

static void write_label(struct mdm_text *out, int32_t label)
{
    if (label < 0)
        mdm_text_add(out, "null");
    else
        mdm_text_addf(out, "%d", (int)label);
}

static void write_file(struct mdm_text *out, const struct mdm_scan *s, int64_t i)
{
    mdm_text_add(out, "\n[");
    mdm_text_add_json_bytes(out, mdm_scan_name(s, i));
    mdm_text_addf(out, ", %lld, ", (long long)s->file[i].bytes);
    write_label(out, s->file[i].label);
    mdm_text_addf(out, ", \"%016llx\"%s]", (unsigned long long)s->file[i].mark, s->file[i].left_out ? ", false" : "");
}

/* Files in use and files left out are each in order; together they are again. */
static void write_files(struct mdm_text *out, const struct mdm_scan *s)
{
    int64_t used = 0, broken = s->count, all = s->count + s->broken;

    mdm_text_add(out, ",\n\"labels\": [");
    for (int64_t i = 0; i < s->labels; i++) {
        mdm_text_add(out, i ? ", " : "");
        mdm_text_add_json_bytes(out, s->label[i]);
    }
    mdm_text_add(out, "]");
    for (int64_t k = 0; k < s->parts; k++)
        mdm_text_addf(out, "%s%lld%s", k ? ", " : ",\n\"weights\": [", (long long)s->weight[k],
                      k + 1 == s->parts ? "]" : "");
    mdm_text_add(out, ",\n\"files\": [");
    while (used < s->count || broken < all) {
        int first = broken == all || (used < s->count && strcmp(s->file[used].path, s->file[broken].path) < 0);

        mdm_text_add(out, used + broken > s->count ? "," : "");
        write_file(out, s, first ? used++ : broken++);
    }
    mdm_text_add(out, "\n]");
}

int mdm_manifest_write(const maskdm_data *data, struct mdm_text *out)
{
    char identity[MDM_IDENTITY];

    mdm_data_identity(data, identity);
    mdm_text_addf(out, "{\"format\": %d, \"identity\": \"%s\"", MDM_MANIFEST_FORMAT, identity);
    if (data->files)
        write_files(out, data->files);
    if (data->known) {
        mdm_text_add(out, ",\n\"image_labels\": [");
        for (int64_t i = 0; i < data->known_labels; i++) {
            mdm_text_add(out, i ? "," : "");
            write_label(out, data->known[i]);
        }
        mdm_text_add(out, "]");
    }
    mdm_text_add(out, "}\n");
    return mdm_text_ok(out);
}

int mdm_manifest_load(char **out, size_t *bytes, const char *path)
{
    enum mdm_file_kind kind;

    *out = NULL;
    MDM_TRY(mdm_file_kind_of(&kind, path));
    return kind == MDM_FILE_NONE ? MASKDM_OK : mdm_file_read_all(out, bytes, path, most_bytes);
}

int mdm_manifest_compare(int *is_there, struct mdm_text *difference, const char *path, maskdm_data *data,
                         maskdm_control *control)
{
    struct mdm_text now = {0};
    size_t bytes;
    char *old;
    int status;

    MDM_TRY(mdm_manifest_load(&old, &bytes, path));
    *is_there = old != NULL;
    if (!old)
        return MASKDM_OK;
    status = mdm_data_mark(data, control);
    if (status == MASKDM_OK)
        status = mdm_manifest_write(data, &now);
    if (status == MASKDM_OK)
        status = mdm_manifest_difference(difference, old, bytes, now.data, now.length);
    if (status == MASKDM_EFORMAT || status == MASKDM_EVERSION) {
        mdm_text_addf(difference, "%s cannot tell: %s", path, mdm_error_text());
        status = mdm_text_ok(difference);
    }
    mdm_text_free(&now);
    mdm_free(old);
    return status;
}
