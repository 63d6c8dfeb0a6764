/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge a folder of tensor files: hostile_corpus FOLDER (or $MASKDM_HOSTILE), which holds manifest.tsv (name,
 * "accept" or "reject", remark) and the files. Skipped (77) without one. Each file is also judged from memory, and
 * all of it must take less than five seconds of the processor.
 */
#include <maskdm/file.h>

#include "base/alloc.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int read_all(maskdm_file *f)
{
    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        size_t bytes = maskdm_file_bytes(f, i);
        void *raw = malloc(bytes + 1);
        double *x = malloc((size_t)maskdm_file_elements(f, i) * sizeof *x + 1);
        int err = !raw || !x || maskdm_file_read_raw(f, i, raw, bytes) ||
                  maskdm_file_read_f64(f, i, x, maskdm_file_elements(f, i));
        free(raw);
        free(x);
        if (err)
            return -1;
    }
    return 0;
}

static int judge_memory(const char *path, int accept)
{
    maskdm_file *f;
    char *bytes;
    size_t size;
    int err;

    if (mdm_file_read_all(&bytes, &size, path, (size_t)1 << 30))
        return -1;
    err = maskdm_file_open_memory(&f, bytes, size);
    maskdm_file_release(&f);
    mdm_free(bytes);
    return accept == (err == MASKDM_OK) ? 0 : -1;
}

/* 0 when the file is judged as it should be. */
static int judge(const char *folder, const char *name, int accept)
{
    maskdm_file *f;
    char path[4096];
    double start = (double)clock() / CLOCKS_PER_SEC, seconds;
    int err, wrong;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    err = maskdm_file_open(&f, path);
    wrong = accept != (err == MASKDM_OK) || (!err && read_all(f));
    maskdm_file_release(&f);
    seconds = (double)clock() / CLOCKS_PER_SEC - start;
    printf("%-6s %-36s %6.1f ms  %s\n", wrong ? "WRONG" : "ok", name, 1e3 * seconds,
           err ? maskdm_last_error() : "accepted");
    wrong |= err && (err != MASKDM_EFORMAT || !strstr(maskdm_last_error(), name));
    wrong |= judge_memory(path, accept);
    return wrong || seconds > 5 || mdm_alloc_live();
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("MASKDM_HOSTILE");
    char path[4096], line[1024];
    int judged = 0, wrong = 0;
    FILE *manifest;

    snprintf(path, sizeof path, "%s/manifest.tsv", folder ? folder : ".");
    manifest = fopen(path, "r");
    if (!manifest) {
        printf("no %s: skipped\n", path);
        return 77;
    }
    while (fgets(line, sizeof line, manifest)) {
        char *name = strtok(line, "\t"), *verdict = strtok(NULL, "\t\n");
        if (!verdict)
            continue;
        judged++;
        wrong += judge(folder, name, !strcmp(verdict, "accept")) ? 1 : 0;
    }
    fclose(manifest);
    printf("%d files, %d judged wrong\n", judged, wrong);
    return wrong || !judged;
}
