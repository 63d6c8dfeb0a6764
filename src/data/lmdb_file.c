/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first page of an LMDB environment: a page's own header, then a number by which it is known and its format.
 */
#include "data/lmdb_file.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { MAGIC_AT = 16, VERSION_AT = 20, HEAD = 24, VERSION = 1 };

#define MAGIC 0xbeefc0deu /* in the order of the machine that wrote it */

static int is_magic(const unsigned char *head)
{
    return mdm_load_le(head + MAGIC_AT, 4) == MAGIC;
}

/* PATH/data.mdb where `path` is a folder, else `path`; to be freed. */
static int file_of(char **out, const char *path)
{
    enum mdm_file_kind kind;

    *out = NULL;
    MDM_TRY(mdm_file_kind_of(&kind, path));
    *out = kind == MDM_FILE_FOLDER ? mdm_path_join(path, "data.mdb") : mdm_strdup(path);
    return *out ? MASKDM_OK : mdm_fail_memory(strlen(path) + 1, "a file name");
}

int mdm_lmdb_is(const struct mdm_source_look *look)
{
    enum mdm_file_kind kind = MDM_FILE_NONE;
    char *file;
    int r;

    if (look->kind == MDM_FILE_REGULAR)
        return look->n >= HEAD && is_magic(look->head);
    if (look->kind != MDM_FILE_FOLDER)
        return 0;
    MDM_TRY(file_of(&file, look->path));
    r = mdm_file_kind_of(&kind, file);
    mdm_free(file);
    return r == MASKDM_ENOMEM ? r : r >= 0 && kind == MDM_FILE_REGULAR;
}

static int check_head(struct mdm_reader *file)
{
    const uint64_t size = mdm_reader_size(file);
    unsigned char head[HEAD];

    if (size < HEAD)
        return mdm_fail(MASKDM_EFORMAT, "%s is no LMDB environment: it has %llu bytes", mdm_reader_path(file),
                        (unsigned long long)size);
    MDM_TRY(mdm_reader_read_at(file, head, HEAD, 0));
    if (!is_magic(head))
        return mdm_fail(
            MASKDM_EFORMAT, "%s is no LMDB environment of this kind of machine: its mark is %08llx, not %08llx",
            mdm_reader_path(file), (unsigned long long)mdm_load_le(head + MAGIC_AT, 4), (unsigned long long)MAGIC);
    if (mdm_load_le(head + VERSION_AT, 4) != VERSION)
        return mdm_fail(MASKDM_EVERSION, "%s is an LMDB environment of format %llu; format %d is read",
                        mdm_reader_path(file), (unsigned long long)mdm_load_le(head + VERSION_AT, 4), VERSION);
    return MASKDM_OK;
}

int mdm_lmdb_open_file(struct mdm_reader **out, const char *path)
{
    char *name;
    int r;

    *out = NULL;
    MDM_TRY(file_of(&name, path));
    r = mdm_reader_open(out, name);
    mdm_free(name);
    MDM_TRY(r);
    r = check_head(*out);
    if (r < 0)
        mdm_reader_close(out);
    return r;
}
