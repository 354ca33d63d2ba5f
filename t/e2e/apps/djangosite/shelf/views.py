import hashlib

from django import forms
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page

from shelf.models import Book


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ['title', 'pages']


def shelf(request):
    return render(request, 'shelf.html', {'books': Book.objects.all()})


def add(request):
    form = BookForm(request.POST or None)
    if form.is_valid():
        return redirect(f'/books/{form.save().id}/')
    return render(request, 'add.html', {'form': form})


def book(request, number):
    found = get_object_or_404(Book, id=number)
    return JsonResponse({'title': found.title, 'pages': found.pages})


def export(request):
    lines = (f'{book.title},{book.pages}\n' for book in Book.objects.iterator())
    return StreamingHttpResponse(lines, content_type='text/csv')


def file(request):
    return FileResponse(open(__file__, 'rb'), as_attachment=True)


@gzip_page
def compressed(request, number):
    """By GZipMiddleware: whole, or line by line."""
    lines = [f'line {count} of them\n' for count in range(number)]
    if 'streamed' in request.GET:
        return StreamingHttpResponse(iter(lines), content_type='text/plain')
    return HttpResponse(lines, content_type='text/plain')


@csrf_exempt
def upload(request):
    sent = request.FILES['file']
    digest = hashlib.sha256()
    for block in sent.chunks():
        digest.update(block)
    return JsonResponse({'name': sent.name, 'sha256': digest.hexdigest()})


def visits(request):
    request.session['visits'] = request.session.get('visits', 0) + 1
    return HttpResponse(str(request.session['visits']))


def broken(request):
    raise RuntimeError('the view is broken')
