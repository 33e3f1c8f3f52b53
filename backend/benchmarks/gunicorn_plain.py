"""gunicorn for the contenders that bring no configuration of their own: the same workers, nothing else."""

workers = 4
worker_class = "sync"
control_socket_disable = True
worker_tmp_dir = "/dev/shm"
