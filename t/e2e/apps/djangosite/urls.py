from django.urls import path

from shelf import views

urlpatterns = [
    path('', views.shelf),
    path('add/', views.add),
    path('books/<int:number>/', views.book),
    path('books.csv', views.export),
    path('compressed/<int:number>/', views.compressed),
    path('file/', views.file),
    path('upload/', views.upload),
    path('visits/', views.visits),
    path('broken/', views.broken),
]
