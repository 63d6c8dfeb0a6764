/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file of images: refused with a status of its own, or every image in it has a name below the
 * file, a label that there is, and can be asked for.
 */
#ifndef MASKDM_TESTS_FUZZ_SOURCE_H
#define MASKDM_TESTS_FUZZ_SOURCE_H

#include "require.h"

#include "base/alloc.h"
#include "data/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char source_folder[64];

static inline void remove_source(void)
{
    (void)rmdir(source_folder);
}

static inline void write_source(char path[96], const char *name, const uint8_t *data, size_t size)
{
    FILE *f;

    if (!*source_folder) {
        snprintf(source_folder, sizeof source_folder, "/tmp/maskdm_fuzz_XXXXXX");
        require(mkdtemp(source_folder) != NULL);
        atexit(remove_source);
    }
    snprintf(path, 96, "%s/%s", source_folder, name);
    f = fopen(path, "wb");
    require(f != NULL && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static inline void try_image(struct mdm_scan *s, int64_t i)
{
    struct mdm_reading how = {
        .background = {1, 1, 1}, .pixels = 1 << 16, .memory = 1 << 20, .height = 5, .width = 3, .channels = 3};
    const char *name = mdm_scan_name(s, i);
    maskdm_image *m;

    require(*name && *name != '/' && strncmp(name, "../", 3) && !strstr(name, "/../"));
    require(s->file[i].label >= -1 && s->file[i].label < s->labels);
    require(mdm_scan_mark(&s->file[i].mark, s, i) == MASKDM_OK);
    (void)mdm_source_probe(s, i);
    (void)mdm_source_is_transparent(s, i);
    if (mdm_source_image(&m, s, i, &how) >= 0)
        mdm_image_free(&m);
}

/* The file has this name, by which it is known where its first bytes do not tell. */
static inline void try_source(const char *name, const uint8_t *data, size_t size)
{
    enum { LOOKED_AT = 8 };
    const long before = mdm_alloc_live();
    struct mdm_scan s;
    char path[96];
    int r;

    write_source(path, name, data, size);
    r = mdm_source_find(&s, path, NULL, NULL, NULL);
    require(r == MASKDM_OK || r == MASKDM_EFORMAT || r == MASKDM_EVERSION || r == MASKDM_EINVAL);
    require(r < 0 || s.count > 0);
    if (r >= 0) {
        for (int64_t i = 0; i < s.count && i < LOOKED_AT; i++)
            try_image(&s, i);
        mdm_scan_free(&s);
    }
    (void)unlink(path);
    require(mdm_alloc_live() == before);
}

#endif
