/*
 * A pool of POSIX threads.
 *
 * Indices are handed out one by one from a counter, so threads that finish early take more; which thread runs
 * an index never matters to a result. The system may give fewer threads than asked: the caller's own always
 * works. A child after fork() has none of them, notices by its process number, and runs everything itself.
 */
#include "core/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct worker {
    lossi_pool *pool;
    pthread_t thread;
    int32_t number;
} worker;

struct lossi_pool {
    pthread_mutex_t mutex;
    pthread_cond_t start, finished;
    pid_t owner;     /* the process the threads belong to */
    int32_t threads; /* asked for, the caller's included */
    int32_t started; /* given by the system, without the caller's */
    int32_t running; /* workers still busy with the current job */
    int32_t leave;   /* set once, at the end */
    uint64_t job;    /* counts jobs, so that a worker runs each once */
    int64_t count;   /* of the current job */
    atomic_int_fast64_t next;
    lossi_task task;
    void *argument;
    worker workers[];
};

static void take_indices(lossi_pool *pool, int32_t number)
{
    for (;;) {
        int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) {
            return;
        }
        pool->task(pool->argument, index, number);
    }
}

static void *work(void *argument)
{
    worker *self = argument;
    lossi_pool *pool = self->pool;
    uint64_t done = 0;

    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->job == done && !pool->leave) {
            pthread_cond_wait(&pool->start, &pool->mutex);
        }
        if (pool->leave) {
            break;
        }
        done = pool->job;
        pthread_mutex_unlock(&pool->mutex);
        take_indices(pool, self->number);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->running == 0) {
            pthread_cond_signal(&pool->finished);
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals belong to the program: our threads take none of them. */
static void start_threads(lossi_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int32_t i = 0; i < pool->threads - 1; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->number = i + 1;
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            break;
        }
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

lossi_pool *lossi_pool_create(loss_context *context, int32_t threads)
{
    lossi_pool *pool = lossi_allocate(context,
                                      (int64_t)sizeof *pool + (int64_t)sizeof(worker) * (threads - 1));
    if (pool == NULL) {
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->finished, NULL);
    pool->owner = getpid();
    pool->threads = threads;
    start_threads(pool);
    return pool;
}

void lossi_pool_free(loss_context *context, lossi_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->mutex);
        pool->leave = 1;
        pthread_cond_broadcast(&pool->start);
        pthread_mutex_unlock(&pool->mutex);
        for (int32_t i = 0; i < pool->started; i++) {
            pthread_join(pool->workers[i].thread, NULL);
        }
        pthread_cond_destroy(&pool->finished);
        pthread_cond_destroy(&pool->start);
        pthread_mutex_destroy(&pool->mutex);
    }
    lossi_release(context, pool);
}

int32_t lossi_pool_threads(const lossi_pool *pool)
{
    return pool->threads;
}

void lossi_pool_run(lossi_pool *pool, int64_t count, lossi_task task, void *argument)
{
    if (pool->started == 0 || pool->owner != getpid()) {
        for (int64_t i = 0; i < count; i++) {
            task(argument, i, 0);
        }
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->task = task;
    pool->argument = argument;
    pool->count = count;
    pool->running = pool->started;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->job++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->mutex);

    take_indices(pool, 0);

    pthread_mutex_lock(&pool->mutex);
    while (pool->running > 0) {
        pthread_cond_wait(&pool->finished, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
}
