/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is written of a data set so that it can be told from others.
 */
#include "data/manifest.h"

#include "util/digest.h"
#include "util/endian.h"

#include <string.h>

static uint64_t digest_of_labels(const maskdm_data *data)
{
    struct maskdm_digest d;

    maskdm_digest_start(&d);
    for (int64_t i = 0; i < data->known_labels; i++) {
        unsigned char label[4];

        maskdm_store_le(label, 4, (uint32_t)data->known[i]);
        maskdm_digest_add(&d, label, sizeof label);
    }
    return maskdm_digest_value(&d);
}

static uint64_t digest_of_broken(const struct maskdm_scan *s)
{
    struct maskdm_digest d;

    maskdm_digest_start(&d);
    for (int64_t i = s->count; i < s->count + s->broken; i++)
        maskdm_digest_add(&d, maskdm_scan_name(s, i), strlen(maskdm_scan_name(s, i)) + 1);
    return maskdm_digest_value(&d);
}

void maskdm_dataset_identity(const maskdm_data *data, char out[MASKDM_IDENTITY])
{
    const struct maskdm_scan *s = data->files;
    int64_t broken = s ? s->broken : 0;
    char without[48] = "";

    /* Which files could be read decides what is trained on, and is not in the digest of what was found. */
    if (broken)
        maskdm_format(without, sizeof without, ", without %lld, %016llx", (long long)broken,
                      (unsigned long long)digest_of_broken(s));
    maskdm_format(out, MASKDM_IDENTITY, "%lld images of %lld x %lld x %d, %016llx%s", (long long)data->count,
                  (long long)data->height, (long long)data->width, data->channels,
                  (unsigned long long)(s ? s->digest : digest_of_labels(data)), without);
}

static void write_label(struct maskdm_text *out, int32_t label)
{
    if (label < 0)
        maskdm_text_add(out, "null");
    else
        maskdm_text_addf(out, "%d", (int)label);
}

static void write_file(struct maskdm_text *out, const struct maskdm_scan *s, int64_t i)
{
    maskdm_text_add(out, "\n[");
    maskdm_text_add_json_bytes(out, maskdm_scan_name(s, i));
    maskdm_text_addf(out, ", %lld, ", (long long)s->file[i].bytes);
    write_label(out, s->file[i].label);
    maskdm_text_addf(out, ", \"%016llx\"%s]", (unsigned long long)s->file[i].mark,
                     s->file[i].left_out ? ", false" : "");
}

/* Files in use and files left out are each in order; together they are again. */
static void write_files(struct maskdm_text *out, const struct maskdm_scan *s)
{
    int64_t used = 0, broken = s->count, all = s->count + s->broken;

    maskdm_text_add(out, ",\n\"labels\": [");
    for (int64_t i = 0; i < s->labels; i++) {
        maskdm_text_add(out, i ? ", " : "");
        maskdm_text_add_json_bytes(out, s->label[i]);
    }
    maskdm_text_add(out, "],\n\"files\": [");
    while (used < s->count || broken < all) {
        int first = broken == all || (used < s->count && strcmp(s->file[used].path, s->file[broken].path) < 0);

        maskdm_text_add(out, used + broken > s->count ? "," : "");
        write_file(out, s, first ? used++ : broken++);
    }
    maskdm_text_add(out, "\n]");
}

int maskdm_manifest_write(const maskdm_data *data, struct maskdm_text *out)
{
    char identity[MASKDM_IDENTITY];

    maskdm_dataset_identity(data, identity);
    maskdm_text_addf(out, "{\"identity\": \"%s\"", identity);
    if (data->files)
        write_files(out, data->files);
    if (data->known) {
        maskdm_text_add(out, ",\n\"image_labels\": [");
        for (int64_t i = 0; i < data->known_labels; i++) {
            maskdm_text_add(out, i ? "," : "");
            write_label(out, data->known[i]);
        }
        maskdm_text_add(out, "]");
    }
    maskdm_text_add(out, "}\n");
    return maskdm_text_ok(out);
}
