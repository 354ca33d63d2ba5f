"""The project's application. It makes its tables when it starts."""
import os

os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
call_command('migrate', verbosity=0)
