/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host that forks, as Python's os.fork() does: in the child the parent's handles can be released, every call that
 * would compute or read with them says why it does not, handles of the child's own work, and the parent never
 * notices.
 */
#include "rig.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct handles {
    maskdm_device *dev;
    maskdm_model *model;
    maskdm_trainer *tr;
    maskdm_data *data, *pictures; /* made when asked, and read by loader threads */
    maskdm_sampler *sampler;
};

static char folder[32];

static void make_pictures(void)
{
    unsigned char pixel[RIG_VALUES];
    char path[64];

    strcpy(folder, "fork_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int k = 0; k < 6; k++) {
        maskdm_image *m;

        for (int i = 0; i < RIG_VALUES; i++)
            pixel[i] = (unsigned char)(k * 40 + i);
        MUST(maskdm_image_create(&m, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
        snprintf(path, sizeof path, "%s/%d.png", folder, k);
        MUST(maskdm_image_write_png(m, path, 8));
        maskdm_image_release(&m);
    }
}

static void remove_pictures(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct handles open_handles(const char *device)
{
    maskdm_options *fo = rig_options("folder", "image_size=8 loaders=2 cache_limit=0");
    maskdm_options *so = rig_options("sampler", "sampler=ddim steps=3 batch_size=4");
    struct handles h;

    h.dev = rig_device(device);
    h.model = rig_model(h.dev, RIG_NETWORK);
    h.data = rig_data(h.dev);
    MUST(maskdm_data_open_folder(&h.pictures, h.dev, folder, fo, NULL));
    h.tr = rig_trainer(h.model, "type=patch ratio=0.5", "batch_size=4 seed=1", NULL);
    MUST(maskdm_sampler_create(&h.sampler, h.model, MASKDM_WEIGHTS_ONLINE, so, NULL));
    maskdm_options_release(&so);
    maskdm_options_release(&fo);
    return h;
}

static void release_handles(struct handles *h)
{
    maskdm_sampler_release(&h->sampler);
    maskdm_trainer_release(&h->tr);
    maskdm_data_release(&h->pictures);
    maskdm_data_release(&h->data);
    maskdm_model_release(&h->model);
    maskdm_device_release(&h->dev);
}

/* A step on each data set, and a picture. */
static int use(struct handles *h)
{
    unsigned char pixel[RIG_VALUES];
    int rc = maskdm_trainer_step(h->tr, h->data);

    if (rc == MASKDM_OK)
        rc = maskdm_trainer_step(h->tr, h->pictures);
    return rc ? rc : maskdm_sampler_run(h->sampler, 1, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);
}

static int is_refused(int rc)
{
    return rc == MASKDM_EINVAL && strstr(maskdm_last_error(), "forked process") &&
           strstr(maskdm_last_error(), "belongs to process");
}

/* Elements of the first parameter, which an image has room for. */
static int64_t first_count(const maskdm_model *model)
{
    int64_t shape[4], count = 1;
    int rank = maskdm_model_parameter_shape(model, 0, shape, 4);

    for (int d = 0; d < rank; d++)
        count *= shape[d];
    return count;
}

/* 0, or the number of what went wrong. Nothing of Check's is called here. */
static int be_child(struct handles *h)
{
    unsigned char pixel[RIG_VALUES];
    float image[RIG_VALUES];
    maskdm_model *copy;
    maskdm_device *own = NULL;
    int32_t label;
    int refused = is_refused(maskdm_trainer_step(h->tr, h->data)) &&
                  is_refused(maskdm_trainer_step(h->tr, h->pictures)) &&
                  is_refused(maskdm_sampler_run(h->sampler, 1, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0)) &&
                  is_refused(maskdm_data_get(h->pictures, 0, image, &label)) &&
                  is_refused(maskdm_model_get_parameter(h->model, MASKDM_WEIGHTS_EMA, 0, image,
                                                        first_count(h->model))) &&
                  is_refused(maskdm_model_clone(&copy, h->model)) && !maskdm_trainer_view(h->tr, "noise", NULL) &&
                  is_refused(maskdm_model_create(&copy, h->dev, "uvit", NULL, NULL, 1));

    release_handles(h);
    if (!refused)
        return 2;
    if (maskdm_device_open(&own, "cpu", NULL))
        return 3;
    maskdm_device_release(&own);
    return 0;
}

static void expect_child(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child: %s %d",
                  WIFEXITED(status) ? "exit status" : "signal",
                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static pid_t start_child(void)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        alarm(60); /* a sanitizer on a busy machine takes its time */
    }
    return child;
}

static const char *const devices[] = {"threads=3", "threads=1", "threads=3 instruction_set=c"};

START_TEST(a_child_releases_and_is_told)
{
    make_pictures();
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        struct handles h = open_handles(devices[i]), same = open_handles(devices[i]);
        pid_t child;

        MUST(use(&h));
        child = start_child();
        if (child == 0)
            _exit(be_child(&h));
        expect_child(child);
        MUST(use(&h));
        MUST(use(&same));
        MUST(use(&same));
        ck_assert(rig_trainer_hash(h.tr) == rig_trainer_hash(same.tr));
        release_handles(&h);
        release_handles(&same);
    }
    remove_pictures();
}
END_TEST

struct busy {
    struct handles *h;
    atomic_int rounds, stop, failed;
};

static void *keep_busy(void *arg)
{
    struct busy *b = arg;

    while (!atomic_load(&b->stop)) {
        if (use(b->h))
            atomic_store(&b->failed, 1);
        atomic_fetch_add(&b->rounds, 1);
    }
    return NULL;
}

/* The child of a fork waits for ever where another thread was in AddressSanitizer's allocator (gcc 12). */
#ifdef __SANITIZE_ADDRESS__
enum { FORKS = 0 };
#else
enum { FORKS = 8 };
#endif

/* Whatever another thread holds at the moment of the fork. */
START_TEST(a_fork_may_come_at_any_moment)
{
    make_pictures();
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i += 2) {
        struct handles h = open_handles(devices[i]);
        struct busy b = {.h = &h};
        pthread_t t;

        ck_assert_int_eq(pthread_create(&t, NULL, keep_busy, &b), 0);
        for (int k = 0; k < FORKS; k++) {
            struct handles own;
            pid_t child;
            int seen = atomic_load(&b.rounds);

            while (atomic_load(&b.rounds) == seen)
                usleep(300);
            usleep((unsigned)k * 400);
            child = start_child();
            if (child == 0) {
                int rc = be_child(&h);

                own = open_handles(devices[i]);
                _exit(rc ? rc : use(&own) ? 4 : 0);
            }
            expect_child(child);
        }
        atomic_store(&b.stop, 1);
        pthread_join(t, NULL);
        ck_assert_int_eq(atomic_load(&b.failed), 0);
        release_handles(&h);
    }
    remove_pictures();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_child_releases_and_is_told, a_fork_may_come_at_any_moment};

    return rig_run("fork", tests, sizeof tests / sizeof *tests);
}
