"""A small Django project: books on a shelf, kept in SQLite in the folder of the test's notes."""
import os
import pathlib

HERE = pathlib.Path(__file__).parent

SECRET_KEY = 'of no importance'
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
ROOT_URLCONF = 'urls'
WSGI_APPLICATION = 'site_wsgi.application'
INSTALLED_APPS = ['django.contrib.sessions', 'django.contrib.contenttypes', 'shelf']
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
]
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True}]
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',
                         'NAME': os.path.join(os.environ.get('NOTES', str(HERE)), 'shelf.sqlite')}}
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
USE_TZ = True
LOGGING = {
    'version': 1,
    'handlers': {'stderr': {'class': 'logging.StreamHandler'}},
    'loggers': {'django.request': {'handlers': ['stderr'], 'level': 'ERROR'}},
}
